// Package progress shows the progress of a simulation: on a terminal as a few lines that are
// redrawn in place, elsewhere as a line every now and then.
package progress

import (
	"fmt"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"simkube.io/simkube/internal/simulation"
	"simkube.io/simkube/internal/words"
)

const (
	labelWidth = 10
	maxBar     = 40
	minBar     = 8
)

// Render returns the lines that show p on a terminal of the given width. No line is wider, not
// counting escape sequences, which occur only in colour.
func Render(p simulation.Progress, width int, colour bool) []string {
	pen := pen{colour: colour}
	lines := []string{headline(p, width, pen)}
	if p.EventsTotal > 0 && started(p) {
		events := fmt.Sprintf("%s of %s", words.Number(p.Events), words.Number(p.EventsTotal))
		if p.Counts.LagP99 > 0 {
			events += ", lag p99 " + short(p.Counts.LagP99)
		}
		lines = append(lines, line("events", events, width, pen))
	}
	if started(p) {
		c := p.Counts
		pods := join(
			number(c.Pending, "pending", true), number(c.Starting, "starting", false), number(c.Running, "running", true),
			number(c.Failed, "failed", false), number(c.Succeeded, "succeeded", false), number(c.Deleted, "gone", false))
		lines = append(lines, line("pods", pods, width, pen))
		lines = append(lines, line("nodes", nodes(c.NodesReady, c.Nodes), width, pen))
	}
	if p.Counts.Problems > 0 {
		lines = append(lines, pen.warn(words.Clip(pad("problems")+words.Number(p.Counts.Problems), width)))
	}
	if p.Detail != "" {
		lines = append(lines, pen.dim(words.Clip(pad("")+p.Detail, width)))
	}
	return lines
}

// Line returns p as one line of plain text, for logs.
func Line(p simulation.Progress) string {
	parts := []string{string(p.Phase)}
	if share, ok := share(p); ok && p.Phase == simulation.Replaying {
		parts[0] += " " + percent(share)
		parts = append(parts, "trace "+traceClock(p))
	}
	if started(p) {
		c := p.Counts
		if p.EventsTotal > 0 {
			parts = append(parts, fmt.Sprintf("events %s/%s", words.Number(p.Events), words.Number(p.EventsTotal)))
		}
		parts = append(parts,
			fmt.Sprintf("pods %s pending %s running %s succeeded", words.Number(c.Pending), words.Number(c.Running), words.Number(c.Succeeded)),
			"nodes "+nodes(c.NodesReady, c.Nodes))
		if c.LagP99 > 0 {
			parts = append(parts, "lag p99 "+short(c.LagP99))
		}
		if c.Problems > 0 {
			parts = append(parts, "problems "+words.Number(c.Problems))
		}
	}
	if p.ETA > 0 {
		parts = append(parts, "done in "+short(p.ETA))
	}
	if p.Detail != "" {
		parts = append(parts, p.Detail)
	}
	return strings.Join(parts, ", ")
}

// headline returns the phase, with the bar and the trace's time if there is one.
func headline(p simulation.Progress, width int, pen pen) string {
	share, ok := share(p)
	if !ok || p.Phase != simulation.Replaying {
		return pen.bold(words.Clip(string(p.Phase), width))
	}
	head := pad(string(p.Phase))
	tail := " " + pad4(percent(share)) + "  trace " + traceClock(p)
	if p.ETA > 0 {
		tail += "  done in " + short(p.ETA)
	}
	room := min(maxBar, width-utf8.RuneCountInString(head)-utf8.RuneCountInString(tail))
	if room < minBar {
		return pen.bold(words.Clip(head+strings.TrimSpace(tail), width))
	}
	full := int(share * float64(room))
	return pen.bold(head) + pen.bar(strings.Repeat("█", full)) + pen.dim(strings.Repeat("░", room-full)) + tail
}

// started reports whether there is a cluster to describe.
func started(p simulation.Progress) bool {
	return p.Phase != simulation.Preparing && p.Phase != simulation.Starting
}

// share returns how much of the trace's time is over.
func share(p simulation.Progress) (float64, bool) {
	length := p.TraceEnd.Sub(p.TraceStart)
	if p.TraceTime.IsZero() || length <= 0 {
		return 0, false
	}
	return min(1, max(0, float64(p.TraceTime.Sub(p.TraceStart))/float64(length))), true
}

// traceClock returns the trace's time, with the date if the trace is longer than a day.
func traceClock(p simulation.Progress) string {
	if p.TraceEnd.Sub(p.TraceStart) > 24*time.Hour {
		return p.TraceTime.UTC().Format("2006-01-02 15:04:05")
	}
	return p.TraceTime.UTC().Format(time.TimeOnly)
}

func percent(share float64) string { return strconv.Itoa(int(share*100)) + "%" }

func nodes(ready, all int) string {
	if ready == all {
		return words.Number(all)
	}
	return words.Number(ready) + " ready of " + words.Number(all)
}

// number returns "" for 0, unless always is set.
func number(n int, what string, always bool) string {
	if n == 0 && !always {
		return ""
	}
	return words.Number(n) + " " + what
}

func join(parts ...string) string {
	var kept []string
	for _, part := range parts {
		if part != "" {
			kept = append(kept, part)
		}
	}
	return strings.Join(kept, ", ")
}

// short formats a duration with two or three significant digits.
func short(d time.Duration) string {
	switch {
	case d < time.Millisecond:
		return d.Round(10 * time.Microsecond).String()
	case d < 10*time.Millisecond:
		return d.Round(100 * time.Microsecond).String()
	case d < time.Second:
		return d.Round(time.Millisecond).String()
	case d < time.Minute:
		return d.Round(time.Second).String()
	case d < time.Hour:
		return strings.Replace(d.Round(time.Second).String(), "m0s", "m", 1)
	}
	return strings.TrimSuffix(d.Round(time.Minute).String(), "0s")
}

func line(label, text string, width int, pen pen) string {
	whole := words.Clip(pad(label)+text, width)
	label = pad(label)
	if len(whole) <= len(label) {
		return pen.dim(whole)
	}
	return pen.dim(label) + whole[len(label):]
}

func pad(label string) string {
	return label + strings.Repeat(" ", max(1, labelWidth-utf8.RuneCountInString(label)))
}

func pad4(s string) string { return strings.Repeat(" ", max(0, 4-len(s))) + s }

// pen colours text, if enabled.
type pen struct{ colour bool }

func (p pen) bold(s string) string { return p.wrap("1", s) }
func (p pen) dim(s string) string  { return p.wrap("2", s) }
func (p pen) bar(s string) string  { return p.wrap("36", s) }
func (p pen) warn(s string) string { return p.wrap("33", s) }

func (p pen) wrap(code, s string) string {
	if !p.colour || s == "" {
		return s
	}
	return "\x1b[" + code + "m" + s + "\x1b[0m"
}
