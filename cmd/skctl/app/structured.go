package app

import (
	"encoding/json"
	"fmt"
	"io"

	"sigs.k8s.io/yaml"
)

// Formats in which commands print, for people and for programs.
const (
	outputText = "text"
	outputYAML = "yaml"
)

// printStructured prints a value for programs: as YAML, or else as indented JSON.
func printStructured(w io.Writer, format string, v any) error {
	text, err := json.MarshalIndent(v, "", "  ")
	text = append(text, '\n')
	if err == nil && format == outputYAML {
		text, err = yaml.JSONToYAML(text)
	}
	if err != nil {
		return fmt.Errorf("print as %s: %w", format, err)
	}
	_, err = w.Write(text)
	return err
}
