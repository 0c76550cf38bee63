package validate

import (
	"bufio"
	"fmt"
	"io"
	"strings"

	"simkube.io/simkube/internal/printable"
	"simkube.io/simkube/internal/words"
)

// TextOptions configure the text form of a report.
type TextOptions struct {
	// Max is the maximum number of findings per rule, and of lines of its suggestion. Default: no
	// limit.
	Max int
	// Bold, Bad and Dim style a text; if nil, it is not styled. Bad is passed the severity.
	Bold, Dim func(string) string
	Bad       func(Severity, string) string
}

// WriteText writes the report as text: by rule, by object, followed by the suggestions.
func (r *Report) WriteText(w io.Writer, opts TextOptions) error {
	plain := func(text string) string { return text }
	if opts.Bold == nil {
		opts.Bold = plain
	}
	if opts.Dim == nil {
		opts.Dim = plain
	}
	if opts.Bad == nil {
		opts.Bad = func(_ Severity, text string) string { return text }
	}
	out := bufio.NewWriter(w)
	for _, group := range r.byRule() {
		group.writeText(out, opts)
	}
	for _, note := range r.Notes {
		fmt.Fprintln(out, opts.Dim(printable.Line(note)))
	}
	counts := words.Count(r.Errors(), "error") + ", " + words.Count(r.Warnings(), "warning")
	if n := r.Infos(); n > 0 {
		counts += ", " + words.Count(n, "info")
	}
	fmt.Fprintf(out, "%s in %s with %s\n", counts, words.Count(r.Events, "event"), words.Count(r.Manifests, "manifest"))
	return out.Flush()
}

func (g *ruleFindings) writeText(out *bufio.Writer, opts TextOptions) {
	objects := map[Object]bool{}
	for _, finding := range g.findings {
		if finding.Object != nil {
			objects[*finding.Object] = true
		}
	}
	of := ""
	if len(objects) > 0 {
		of = " of " + words.Count(len(objects), "object")
	}
	fmt.Fprintf(out, "%s %s: %s%s\n", opts.Bad(g.rule.Severity, string(g.rule.Severity)+" "+g.rule.Code), opts.Bold(g.rule.Name),
		words.Count(len(g.findings), "place"), of)
	fmt.Fprintf(out, "  %s\n\n", g.rule.Title)
	var last *Object
	for i, finding := range g.findings {
		if opts.Max > 0 && i == opts.Max {
			fmt.Fprintf(out, "  %s\n", opts.Dim(fmt.Sprintf("... and %s more (--all shows them)", words.Count(len(g.findings)-i, "place"))))
			break
		}
		if finding.Object != nil && (last == nil || *last != *finding.Object) {
			last = finding.Object
			fmt.Fprintf(out, "  %s\n", opts.Bold(printable.Line(oneLine(last.String()))))
		}
		finding.writeText(out, opts)
	}
	fmt.Fprintln(out, "\n  Suggestion, in SKEL:")
	lines := strings.Split(strings.TrimSuffix(g.program, "\n"), "\n")
	for i, line := range lines {
		if opts.Max > 0 && i == opts.Max {
			fmt.Fprintf(out, "    %s\n", opts.Dim(fmt.Sprintf("# ... and %s more (--generate-skel writes them)", words.Count(len(lines)-i, "line"))))
			break
		}
		fmt.Fprintf(out, "    %s\n", printable.Text(line))
	}
	fmt.Fprintln(out)
}

func (f *Finding) writeText(out *bufio.Writer, opts TextOptions) {
	where := fmt.Sprintf("event %d, %s", f.Event, f.When())
	if f.Count > 1 {
		where += fmt.Sprintf(", %d times", f.Count)
	}
	path := ""
	if f.Path != "" {
		path = printable.Line(oneLine(f.Path)) + ": "
	}
	fmt.Fprintf(out, "    %s%s %s\n", path, printable.Line(f.Message), opts.Dim("("+where+")"))
}
