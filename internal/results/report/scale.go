package report

import (
	"fmt"
	"math"
	"strconv"
	"time"

	"simkube.io/simkube/internal/words"
)

// tick is a labelled position on an axis, in percent of its length.
type tick struct {
	Pos   float64
	Label string
	// Edge is "start" or "end" for labels that must stay within the axis.
	Edge string
	// Minor ticks have no label if there is little room.
	Minor bool
}

// niceStep returns the smallest of 1, 2 and 5 times a power of ten that divides top into at most n
// parts.
func niceStep(top float64, n int) float64 {
	raw := top / float64(n)
	power := math.Pow(10, math.Floor(math.Log10(raw)))
	for _, m := range []float64{1, 2, 5} {
		if m*power >= raw*(1-1e-9) {
			return m * power
		}
	}
	return 10 * power
}

// valueTicks returns ticks from 0 for values up to top, and the end of the axis, which is a little
// above top. Counts have whole steps.
func valueTicks(top float64, whole bool) ([]tick, float64) {
	if top <= 0 {
		top = 1
	}
	step := niceStep(top, 4)
	if whole {
		step = max(1, step)
	}
	end := step * math.Ceil(top/step-1e-9)
	if end < top*1.02 {
		end += step / 2
	}
	var ticks []tick
	for v := 0.0; v <= end*(1+1e-9); v += step {
		ticks = append(ticks, tick{Pos: 100 * v / end, Label: axisNumber(v, step)})
	}
	return ticks, end
}

// axisNumber formats a value with as many decimals as its step needs.
func axisNumber(v, step float64) string {
	if step >= 1 {
		return words.Number(int(math.Round(v)))
	}
	decimals := int(math.Ceil(-math.Log10(step) - 1e-9))
	return strconv.FormatFloat(v, 'f', decimals, 64)
}

// timeSteps are the possible distances between ticks of a time axis.
var timeSteps = []time.Duration{
	100 * time.Millisecond, 200 * time.Millisecond, 500 * time.Millisecond,
	time.Second, 2 * time.Second, 5 * time.Second, 10 * time.Second, 15 * time.Second, 30 * time.Second,
	time.Minute, 2 * time.Minute, 5 * time.Minute, 10 * time.Minute, 15 * time.Minute, 30 * time.Minute,
	time.Hour, 2 * time.Hour, 3 * time.Hour, 6 * time.Hour, 12 * time.Hour,
	24 * time.Hour, 48 * time.Hour, 7 * 24 * time.Hour, 14 * 24 * time.Hour, 28 * 24 * time.Hour,
}

// timeAxis maps trace time to percent.
type timeAxis struct{ start, end time.Time }

func (a timeAxis) pos(t time.Time) float64 {
	length := a.end.Sub(a.start)
	if length <= 0 {
		return 0
	}
	return min(max(100*float64(t.Sub(a.start))/float64(length), 0), 100)
}

// ticks returns at most about eight ticks, at round times of UTC. The first, and each that begins a
// day, has the date.
func (a timeAxis) ticks() []tick {
	length := a.end.Sub(a.start)
	if length <= 0 {
		return nil
	}
	step := timeSteps[len(timeSteps)-1]
	for _, candidate := range timeSteps {
		if length/candidate <= 8 {
			step = candidate
			break
		}
	}
	for length/step > 8 {
		step *= 2
	}
	at := a.start.UTC().Truncate(step)
	if at.Before(a.start) {
		at = at.Add(step)
	}
	var ticks []tick
	for i := 0; !at.After(a.end); i++ {
		t := tick{Pos: a.pos(at), Label: timeLabel(at, step, i == 0), Minor: i%2 == 1}
		switch {
		case t.Pos < 3:
			t.Edge = "start"
		case t.Pos > 97:
			t.Edge = "end"
		}
		ticks = append(ticks, t)
		at = at.Add(step)
	}
	return ticks
}

func timeLabel(t time.Time, step time.Duration, first bool) string {
	midnight := t.Hour() == 0 && t.Minute() == 0 && t.Second() == 0 && t.Nanosecond() == 0
	switch {
	case step >= 24*time.Hour || midnight:
		return t.Format("2 Jan")
	case first && step >= time.Minute:
		return t.Format("2 Jan 15:04")
	case step >= time.Minute:
		return t.Format("15:04")
	case step >= time.Second:
		return t.Format("15:04:05")
	}
	return t.Format("15:04:05.0")
}

// instantText formats a time of the trace.
func instantText(t time.Time) string {
	if t.IsZero() {
		return "–"
	}
	return t.UTC().Format("2 Jan 15:04:05")
}

// windowText formats a period of trace time, with the date once if it is the same.
func windowText(from, to time.Time) string {
	from, to = from.UTC(), to.UTC()
	if from.Format(time.DateOnly) == to.Format(time.DateOnly) {
		return fmt.Sprintf("%s, %s to %s UTC", from.Format("2 January 2006"), from.Format("15:04:05"), to.Format("15:04:05"))
	}
	return fmt.Sprintf("%s to %s UTC", from.Format("2 January 2006 15:04"), to.Format("2 January 2006 15:04"))
}
