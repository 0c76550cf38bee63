package validate

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"

	"simkube.io/simkube/internal/printable"
)

// reportJSON is the JSON form of a report.
type reportJSON struct {
	// Version is incremented if the meaning of a field changes; fields may be added.
	Version     int              `json:"version"`
	Trace       string           `json:"trace"`
	Events      int              `json:"events"`
	Manifests   int              `json:"manifests"`
	Errors      int              `json:"errors"`
	Warnings    int              `json:"warnings"`
	Infos       int              `json:"infos"`
	Findings    []*Finding       `json:"findings"`
	Suggestions []suggestionJSON `json:"suggestions"`
	Notes       []string         `json:"notes,omitempty"`
}

type suggestionJSON struct {
	Code    string `json:"code"`
	Rule    string `json:"rule"`
	Program string `json:"skel"`
}

// WriteJSON writes the report as one JSON object. traceName is the name of the trace.
func (r *Report) WriteJSON(w io.Writer, traceName string) error {
	out := reportJSON{
		Version: 1, Trace: traceName, Events: r.Events, Manifests: r.Manifests, Errors: r.Errors(), Warnings: r.Warnings(), Infos: r.Infos(),
		Findings: r.Findings, Suggestions: []suggestionJSON{}, Notes: r.Notes,
	}
	if out.Findings == nil {
		out.Findings = []*Finding{}
	}
	for _, s := range r.Suggestions {
		out.Suggestions = append(out.Suggestions, suggestionJSON{s.Rule.Code, s.Rule.Name, s.Program})
	}
	return encode(w, out)
}

func encode(w io.Writer, v any) error {
	var text bytes.Buffer
	encoder := json.NewEncoder(&text)
	encoder.SetEscapeHTML(false)
	encoder.SetIndent("", "  ")
	err := encoder.Encode(v)
	if err == nil {
		_, err = w.Write(printable.JSON(text.Bytes()))
	}
	if err != nil {
		return fmt.Errorf("write the report: %w", err)
	}
	return nil
}
