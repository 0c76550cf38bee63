package results

import (
	"bytes"
	"fmt"
	"io"
	"math"
	"strings"
	"time"
	"unicode/utf8"

	corev1 "k8s.io/api/core/v1"

	"simkube.io/simkube/internal/printable"
	"simkube.io/simkube/internal/words"
)

// WriteText writes the summary in a dozen lines for a terminal of the given width (80 if it is not
// positive), in colour if asked.
func (s *Summary) WriteText(w io.Writer, width int, colour bool) error {
	if width <= 0 {
		width = 80
	}
	t := textWriter{width: width, colour: colour}
	t.header(s)
	t.pods(s)
	t.waits(s)
	t.nodes(s)
	t.resources(&s.Timing)
	t.replay(s)
	if s.Outcome.Deviations == nil {
		t.problems(s)
	} else {
		t.deviations(s.Outcome.Deviations)
	}
	if _, err := w.Write(t.out.Bytes()); err != nil {
		return fmt.Errorf("write the summary: %w", err)
	}
	return nil
}

type textWriter struct {
	out    bytes.Buffer
	width  int
	colour bool
}

// Styles of ANSI terminals. The colours are those of the user's palette.
const (
	normal = ""
	bold   = "1"
	dim    = "2"
	red    = "31"
	green  = "32"
	yellow = "33"
	cyan   = "36"
)

// styled returns a text in a style, without characters that a terminal would obey.
func (t *textWriter) styled(style, s string) string {
	s = printable.Line(s)
	if !t.colour || style == normal || s == "" {
		return s
	}
	return "\x1b[" + style + "m" + s + "\x1b[0m"
}

const labelWidth = 10

// part is a piece of a line in a style.
type part struct{ style, text string }

func plain(format string, args ...any) part {
	return part{normal, printable.Line(fmt.Sprintf(format, args...))}
}

func strong(format string, args ...any) part {
	return part{bold, printable.Line(fmt.Sprintf(format, args...))}
}

// line writes a label and its parts, separated by dots. Parts that do not fit are left out from the
// end; the first is shortened instead.
func (t *textWriter) line(label string, parts ...part) {
	t.out.WriteString("  " + t.styled(dim, fmt.Sprintf("%-*s", labelWidth, label)))
	room := t.width - 2 - labelWidth
	for i, p := range parts {
		sep := ""
		if i > 0 {
			sep = " · "
		}
		need := utf8.RuneCountInString(sep + p.text)
		if need > room && i > 0 {
			break
		}
		room -= need
		t.out.WriteString(t.styled(dim, sep) + t.styled(p.style, words.Clip(p.text, room+need)))
	}
	t.out.WriteByte('\n')
}

func (t *textWriter) header(s *Summary) {
	name := printable.Line(s.Run.Simulation)
	if name == "" {
		name = "simulation"
	}
	state, style := "finished", green
	if s.Run.Interrupted {
		state, style = "interrupted", yellow
	}
	room := t.width - utf8.RuneCountInString(state) - 1
	t.out.WriteString(t.styled(bold, words.Clip(name, room)) + " " + t.styled(style, state) + "\n")
	parts := []part{plain("%s of trace in %s",
		FormatDuration(s.Run.WindowEnd.Sub(s.Run.WindowStart)),
		FormatDuration(time.Duration(s.Run.WallSeconds*float64(time.Second))))}
	if s.Run.Speed != 1 {
		parts = append(parts, plain("speed %g", s.Run.Speed))
	}
	if seed := s.Run.Settings[SettingSeed]; seed != "" {
		parts = append(parts, plain("seed %s", seed))
	}
	parts = append(parts, plain("from %s", s.Run.WindowStart.UTC().Format("2006-01-02 15:04 MST")))
	t.line("replayed", parts...)
}

func (t *textWriter) pods(s *Summary) {
	p := s.Outcome.Pods
	if p.Created == 0 {
		t.line("pods", part{yellow, "none was created"})
		return
	}
	parts := []part{strong("%s created", words.Number(p.Created)), plain("%s ran", words.Number(p.Ran))}
	if p.Succeeded > 0 {
		parts = append(parts, plain("%s succeeded", words.Number(p.Succeeded)))
	}
	if p.Failed > 0 {
		parts = append(parts, part{red, words.Number(p.Failed) + " failed"})
	}
	if p.Disrupted > 0 {
		parts = append(parts, part{yellow, words.Number(p.Disrupted) + " disrupted"})
	}
	parts = append(parts, plain("at most %s at once", words.Number(s.Timing.Pods.PeakRunning)))
	t.line("pods", parts...)
}

func (t *textWriter) waits(s *Summary) {
	w := s.Timing.Pending
	if w.Count == 0 {
		return
	}
	if w.OverSecond == 0 {
		t.line("pending", part{green, "no pod waited longer than a second for a node"})
	} else {
		t.line("pending", part{yellow, words.Number(w.OverSecond) + " waited over 1s"},
			plain("p50 %s", FormatSeconds(w.P50)), plain("p99 %s", FormatSeconds(w.P99)),
			strong("longest %s", FormatSeconds(w.Max)))
	}
	if n := s.Outcome.Pods.NeverScheduled; n > 0 {
		t.line("", part{red, words.Number(n) + " never got a node"})
	}
	var because []part
	for _, r := range s.Timing.WaitReasons {
		if r.Mainly > 0 {
			because = append(because, plain("%s (%s)", r.Reason, words.Count(r.Mainly, "pod")))
		}
	}
	if len(because) > 0 {
		t.line("because", because...)
	}
}

func (t *textWriter) nodes(s *Summary) {
	n := s.Timing.Nodes
	count := plain("%s", words.Count(n.Peak, "node"))
	if s.Outcome.Nodes.Count > n.Peak {
		count = plain("at most %s", words.Count(n.Peak, "node"))
	}
	count.style = bold
	parts := []part{count, plain("%s node-hours", FormatNumber(n.NodeHours))}
	if c := s.Outcome.Nodes; c.Deleted > 0 {
		parts = append(parts, plain("%s made", words.Number(c.Made)), plain("%s removed", words.Number(c.Deleted)))
	}
	if moved := s.Outcome.Pods.Moved; moved > 0 {
		parts = append(parts, plain("%s moved", words.Count(moved, "pod")))
	}
	t.line("nodes", parts...)
	t.cost(s)
	t.decisions(s)
}

// resources writes a line each for CPU, memory and GPUs, and one for all other resources.
func (t *textWriter) resources(timing *Timing) {
	labels := map[string]string{string(corev1.ResourceCPU): "CPU", string(corev1.ResourceMemory): "memory", AllGPUs: "GPU"}
	var others []part
	for _, name := range timing.ShownResources() {
		if label, ok := labels[name]; ok {
			t.usage(label, timing.Usage(name), UnitOf(name).Name)
			continue
		}
		others = append(others, plain("%s %.0f%%", name, 100*timing.Usage(name).MeanUtilization))
	}
	if len(others) > 0 {
		t.line("requested", others...)
	}
}

// usage draws the mean utilization as a bar.
func (t *textWriter) usage(label string, u ResourceUsage, unit string) {
	const cells = 20
	filled := min(max(int(math.Round(u.MeanUtilization*cells)), 0), cells)
	bar := strings.Repeat("█", filled) + strings.Repeat("░", cells-filled)
	t.line(label, part{cyan, fmt.Sprintf("%s %.0f%% requested", bar, 100*u.MeanUtilization)},
		plain("peak %.0f%%", 100*u.PeakUtilization),
		plain("%s of %s %s", FormatNumber(u.PeakRequested), FormatNumber(u.PeakAllocatable), unit))
}

func (t *textWriter) replay(s *Summary) {
	lag := s.Timing.ReplayLag
	t.line("replay", plain("%s", words.Count(s.Outcome.Events.Replayed, "event")),
		plain("lag p50 %s", FormatSeconds(lag.P50)), plain("p99 %s", FormatSeconds(lag.P99)),
		plain("max %s", FormatSeconds(lag.Max)))
}

// deviations counts the deviations by category.
func (t *textWriter) deviations(d *Deviations) {
	if d.Total == 0 {
		return
	}
	parts := []part{{red, words.Number(d.Total)}}
	for _, c := range d.ByCategory {
		parts = append(parts, plain("%s (%s)", CategoryTitle(c.Category), words.Number(c.Count)))
	}
	t.line("differs", parts...)
}

func (t *textWriter) problems(s *Summary) {
	p := s.Outcome.Problems
	if p.Total == 0 {
		return
	}
	parts := []part{{red, words.Number(p.Total)}}
	for _, c := range p.ByCategory {
		parts = append(parts, plain("%s %s", words.Number(c.Count), c.Category))
	}
	t.line("problems", parts...)
}
