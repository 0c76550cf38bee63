package app

import (
	"encoding/json"
	"fmt"
	"io"

	"sigs.k8s.io/yaml"

	"simkube.io/simkube/internal/printable"
)

// Formats in which commands print, for people and for programs.
const (
	outputText = "text"
	outputYAML = "yaml"
)

// printStructured prints a value for programs: as YAML, or else as indented JSON. What cannot be
// seen is written as an escape of JSON; YAML has none in plain text, so that a value that needs one
// is printed as JSON, which is YAML.
func printStructured(w io.Writer, format string, v any) error {
	text, err := json.MarshalIndent(v, "", "  ")
	text = printable.JSON(append(text, '\n'))
	if err == nil && format == outputYAML {
		var plain []byte
		if plain, err = yaml.JSONToYAML(text); printable.Text(string(plain)) == string(plain) {
			text = plain
		}
	}
	if err != nil {
		return fmt.Errorf("print as %s: %w", format, err)
	}
	_, err = w.Write(text)
	return err
}
