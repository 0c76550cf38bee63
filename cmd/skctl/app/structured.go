package app

import (
	"encoding/json"
	"fmt"
	"io"

	"sigs.k8s.io/yaml"

	"simkube.io/simkube/internal/printable"
)

// The output formats.
const (
	outputText = "text"
	outputYAML = "yaml"
)

// printStructured prints a value as YAML or indented JSON. Invisible characters become JSON
// escapes. YAML has none in plain text, so a value that needs them is printed as JSON, which is
// valid YAML.
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
