package app

import (
	"fmt"
	"io"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/aymanbagabas/go-udiff"
	"sigs.k8s.io/yaml"

	"simkube.io/simkube/internal/printable"
	"simkube.io/simkube/internal/words"
	"simkube.io/simkube/skel"
	"simkube.io/simkube/trace"
)

// maxCommandText is the maximum length of a command in the summary.
const maxCommandText = 60

// firstError is a writer that keeps the first error and does nothing after it.
type firstError struct {
	w   io.Writer
	err error
}

// Write implements [io.Writer].
func (f *firstError) Write(b []byte) (int, error) {
	if f.err != nil {
		return 0, f.err
	}
	var n int
	n, f.err = f.w.Write(b)
	return n, f.err
}

// writeTransformSummary prints what a program did, command by command.
func writeTransformSummary(to io.Writer, s *skel.Summary) error {
	out := &firstError{w: to}
	w := tabwriter.NewWriter(out, 0, 0, 2, ' ', tabwriter.AlignRight)
	fmt.Fprintln(w, "EVENTS MATCHED\tOBJECTS MATCHED\tFIELDS MODIFIED\tOBJECTS DELETED\t  COMMAND")
	row := func(c skel.Counts, what string) {
		fmt.Fprintf(w, "%s\t%s\t%s\t%s\t  %s\n", words.Number(c.Events), words.Number(c.Objects), words.Number(c.Fields), words.Number(c.Deleted), what)
	}
	for _, c := range s.Commands {
		row(c.Counts, fmt.Sprintf("%d: %s", c.Line, words.Clip(printable.Line(c.Command), maxCommandText)))
	}
	row(s.Counts, "in total")
	_ = w.Flush() // errors are kept by out
	fmt.Fprintf(out, "%s with %s become %s with %s\n",
		words.Count(s.EventsRead, "event"), words.Count(s.ObjectsRead, "object"), words.Number(s.EventsWritten), words.Number(s.ObjectsWritten))
	if s.Unordered > 0 {
		fmt.Fprintf(out, "%s events were earlier than the one before, and now have its time\n", words.Number(s.Unordered))
	}
	return out.err
}

// changePrinter prints changes as differences of YAML.
type changePrinter struct {
	out   io.Writer
	style style
	left  int
}

// print prints a change, and reports whether it will print more.
func (c *changePrinter) print(change *skel.Change) bool {
	if c.left == 0 {
		return false
	}
	c.left--
	at := time.Unix(change.Time, 0).UTC().Format(time.RFC3339)
	before, name := "", ""
	if change.Before != nil {
		before, name = manifestYAML(change.Before), printable.Line(objectName(change.Before))
	}
	head := fmt.Sprintf("event %d, %s: %s", change.Event, at, name)
	switch {
	case change.Before == nil:
		head = fmt.Sprintf("inserted, %s", at)
	case len(change.After) == 0:
		fmt.Fprintln(c.out, c.style.wrap("1", head)+" "+c.style.wrap("31", "is deleted"))
		return c.left > 0
	}
	fmt.Fprintln(c.out, c.style.wrap("1", head))
	for i, after := range change.After {
		if name := objectName(after.Object); change.Before == nil || i > 0 || name != objectName(change.Before) {
			fmt.Fprintln(c.out, "  becomes "+printable.Line(name))
		}
		if after.Shift != 0 {
			fmt.Fprintf(c.out, "  moves by %s\n", time.Duration(after.Shift)*time.Second)
		}
		c.diff(before, manifestYAML(after.Object))
	}
	return c.left > 0
}

// contextLines is how many lines are shown around a difference.
const contextLines = 2

// diff prints the lines that differ with their context.
func (c *changePrinter) diff(before, after string) {
	edits := udiff.Lines(before, after)
	unified, err := udiff.ToUnifiedDiff("", "", before, edits, contextLines)
	if err != nil {
		return // the edits are of the same text
	}
	for _, hunk := range unified.Hunks {
		fmt.Fprintln(c.out, c.style.wrap("36", fmt.Sprintf("  @@ line %d @@", hunk.FromLine)))
		for _, line := range hunk.Lines {
			text := printable.Line(strings.TrimRight(line.Content, "\n"))
			switch line.Kind {
			case udiff.Insert:
				text = c.style.wrap("32", "  + "+text)
			case udiff.Delete:
				text = c.style.wrap("31", "  - "+text)
			default:
				text = "    " + text
			}
			fmt.Fprintln(c.out, text)
		}
	}
}

func objectName(obj *trace.Object) string {
	return trace.FormatGVK(obj.GVK()) + " " + obj.NamespacedName()
}

// manifestYAML returns an object as YAML.
func manifestYAML(obj *trace.Object) string {
	u, err := obj.Unstructured()
	if err != nil {
		return err.Error()
	}
	text, err := yaml.Marshal(u.Object)
	if err != nil {
		return err.Error()
	}
	return string(text)
}
