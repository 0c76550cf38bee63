// Package report draws a run as one self-contained HTML page: pictures are SVG made here, styles
// and a small script are inlined, and a content security policy keeps the page from loading
// anything. Without the script only the values under the pointer are missing. Several runs of the
// same simulation have a page that links to their reports.
//
// Names in a run come from a trace, which anybody may have written: all text goes through
// html/template.
package report

import (
	"bytes"
	_ "embed"
	"fmt"
	"html/template"
	"io"

	"simkube.io/simkube/internal/results"
)

//go:embed report.html.tmpl
var pageTemplate string

//go:embed report.css
var pageStyle string

//go:embed report.js
var pageScript string

// Render writes the page. The same run always makes the same bytes. Nothing is written if it fails.
func Render(w io.Writer, run *results.Run) error {
	return execute(w, "report", pageTemplate, newPage(run))
}

// execute writes the page of a template, or nothing.
func execute(w io.Writer, name, text string, page any) error {
	tmpl, err := template.New(name).Parse(text)
	if err != nil {
		return fmt.Errorf("parse the %s's template: %w", name, err)
	}
	var out bytes.Buffer
	if err := tmpl.Execute(&out, page); err != nil {
		return fmt.Errorf("render the %s: %w", name, err)
	}
	if _, err := w.Write(out.Bytes()); err != nil {
		return fmt.Errorf("write the %s: %w", name, err)
	}
	return nil
}
