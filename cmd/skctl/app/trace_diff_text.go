package app

import (
	"fmt"
	"io"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/aymanbagabas/go-udiff"

	"simkube.io/simkube/internal/printable"
	"simkube.io/simkube/internal/tracediff"
	"simkube.io/simkube/internal/words"
)

// diffPrinter prints the differences of traces. After an error it does nothing.
type diffPrinter struct {
	out   io.Writer
	style style
	err   error
}

func (d *diffPrinter) printf(format string, args ...any) {
	if d.err == nil {
		_, d.err = fmt.Fprintf(d.out, format, args...)
	}
}

// The colours are those of git.
const (
	colourHeader  = "1"
	colourAdded   = "32"
	colourRemoved = "31"
	colourHunk    = "36"
)

// differences prints all differences.
func (d *diffPrinter) differences(r *tracediff.Report) {
	if r.Same {
		return
	}
	for _, c := range r.Config {
		d.header("configuration of " + c.Kind)
		d.lines(unifiedDiff("config/"+c.Kind, c.A, c.B))
	}
	for _, o := range r.Objects {
		d.header(fmt.Sprintf("%s %s: %s", o.Kind, o.Name, objectChange(&o)))
		d.lines(o.Diff)
	}
	for _, i := range r.Index {
		d.header(fmt.Sprintf("index of %s %s: %d and %d", i.Kind, i.Name, i.A, i.B))
	}
	for _, l := range r.Lifecycles {
		d.header(fmt.Sprintf("lifecycles of %s %s, pod hash %d", l.Kind, l.Name, l.Hash))
		name := "lifecycles/" + l.Kind + "/" + l.Name
		d.lines(unifiedDiff(name, joinLines(l.A), joinLines(l.B)))
	}
	for _, part := range r.Extension {
		d.header("x-simkube: different " + part)
	}
	d.total(r)
}

// stat prints how much differs, with a line for each object.
func (d *diffPrinter) stat(r *tracediff.Report) {
	if r.Same {
		return
	}
	width := 0
	for _, o := range r.Objects {
		width = max(width, utf8.RuneCountInString(printable.Line(o.Kind+" "+o.Name)))
	}
	for _, o := range r.Objects {
		lines := ""
		if o.Change != tracediff.Moved {
			lines = " " + d.bar(o.AddedLines, o.RemovedLines)
		}
		d.printf(" %-*s | %s%s\n", width, printable.Line(o.Kind+" "+o.Name), objectChange(&o), lines)
	}
	d.total(r)
}

// bar returns a bar for the numbers of added and removed lines.
func (d *diffPrinter) bar(added, removed int) string {
	const most = 20
	a, b := added, removed
	if total := added + removed; total > most {
		a, b = added*most/total, removed*most/total
	}
	return fmt.Sprintf("%d %s%s", added+removed, d.style.wrap(colourAdded, strings.Repeat("+", a)), d.style.wrap(colourRemoved, strings.Repeat("-", b)))
}

// objectChange describes how an object differs.
func objectChange(o *tracediff.ObjectDifference) string {
	var text string
	switch o.Change {
	case tracediff.Added:
		return "only in the second, from " + formatTime(o.First)
	case tracediff.Removed:
		return "only in the first, from " + formatTime(o.First)
	case tracediff.Changed:
		text = "changed"
	default:
		text = "equal at the end"
	}
	switch {
	case o.Seconds == 1:
		text += fmt.Sprintf(", differs at %s", formatTime(o.First))
	default:
		text += fmt.Sprintf(", differs in %s seconds from %s to %s", words.Number(o.Seconds), formatTime(o.First), formatTime(o.Last))
	}
	switch {
	case o.A.Exists && !o.B.Exists:
		text += ", exists only in the first when they end"
	case !o.A.Exists && o.B.Exists:
		text += ", exists only in the second when they end"
	}
	return text
}

func formatTime(unix int64) string { return time.Unix(unix, 0).UTC().Format(time.RFC3339) }

// total prints the totals.
func (d *diffPrinter) total(r *tracediff.Report) {
	counts := map[tracediff.Change]int{}
	for _, o := range r.Objects {
		counts[o.Change]++
	}
	var parts []string
	add := func(n int, text string) {
		if n > 0 {
			parts = append(parts, fmt.Sprintf("%s %s", words.Number(n), text))
		}
	}
	add(counts[tracediff.Changed], "changed")
	add(counts[tracediff.Added], "only in the second")
	add(counts[tracediff.Removed], "only in the first")
	add(counts[tracediff.Moved], "equal at the end")
	text := fmt.Sprintf("%s and %s: ", r.A.Name, r.B.Name)
	if len(parts) == 0 {
		text += "the same objects"
	} else {
		text += fmt.Sprintf("%s objects differ (%s), in %s seconds", words.Number(len(r.Objects)), strings.Join(parts, ", "), words.Number(r.Seconds))
	}
	for _, more := range []struct {
		n    int
		text string
	}{{len(r.Config), "kinds with another configuration"}, {len(r.Index), "different index entries"}, {len(r.Lifecycles), "types of pods with different lifecycles"}} {
		if more.n > 0 {
			text += fmt.Sprintf("; %s %s", words.Number(more.n), more.text)
		}
	}
	if len(r.Extension) > 0 {
		text += "; x-simkube differs"
	}
	d.printf("%s\n", printable.Line(text))
}

func (d *diffPrinter) header(text string) {
	d.printf("%s\n", d.style.wrap(colourHeader, printable.Line(text)))
}

// lines prints a unified diff.
func (d *diffPrinter) lines(diff string) {
	for line := range strings.Lines(diff) {
		line = printable.Line(strings.TrimSuffix(line, "\n"))
		switch {
		case strings.HasPrefix(line, "--- "), strings.HasPrefix(line, "+++ "):
			line = d.style.wrap(colourHeader, line)
		case strings.HasPrefix(line, "@@"):
			line = d.style.wrap(colourHunk, line)
		case strings.HasPrefix(line, "+"):
			line = d.style.wrap(colourAdded, line)
		case strings.HasPrefix(line, "-"):
			line = d.style.wrap(colourRemoved, line)
		}
		d.printf("%s\n", line)
	}
}

// unifiedDiff returns the unified diff of two texts with the same name.
func unifiedDiff(name, a, b string) string {
	from, to := "a/"+name, "b/"+name
	if a == "" {
		from = "/dev/null"
	}
	if b == "" {
		to = "/dev/null"
	}
	return udiff.Unified(from, to, a, b)
}

func joinLines(lines []string) string {
	if len(lines) == 0 {
		return ""
	}
	return strings.Join(lines, "\n") + "\n"
}
