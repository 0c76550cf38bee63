package validate

import (
	"fmt"
	"io"
	"net/url"
	"path/filepath"
	"strings"
)

// The following types are the parts of SARIF 2.1.0 that a report needs.
type (
	sarifLog struct {
		Schema  string     `json:"$schema"`
		Version string     `json:"version"`
		Runs    []sarifRun `json:"runs"`
	}
	sarifRun struct {
		Tool    sarifTool     `json:"tool"`
		Results []sarifResult `json:"results"`
	}
	sarifTool struct {
		Driver sarifDriver `json:"driver"`
	}
	sarifDriver struct {
		Name    string      `json:"name"`
		Version string      `json:"version,omitempty"`
		Rules   []sarifRule `json:"rules"`
	}
	sarifRule struct {
		ID            string             `json:"id"`
		Name          string             `json:"name"`
		Short         sarifMessage       `json:"shortDescription"`
		Help          sarifMessage       `json:"help"`
		Configuration sarifConfiguration `json:"defaultConfiguration"`
	}
	sarifConfiguration struct {
		Level string `json:"level"`
	}
	sarifMessage struct {
		Text string `json:"text"`
	}
	sarifResult struct {
		RuleID     string          `json:"ruleId"`
		RuleIndex  int             `json:"ruleIndex"`
		Level      string          `json:"level"`
		Message    sarifMessage    `json:"message"`
		Locations  []sarifLocation `json:"locations"`
		Count      int             `json:"occurrenceCount"`
		Properties sarifProperties `json:"properties"`
	}
	sarifProperties struct {
		Event int    `json:"event"`
		Time  string `json:"time"`
	}
	sarifLocation struct {
		Physical sarifPhysical  `json:"physicalLocation"`
		Logical  []sarifLogical `json:"logicalLocations"`
	}
	sarifPhysical struct {
		Artifact sarifArtifact `json:"artifactLocation"`
	}
	sarifArtifact struct {
		URI string `json:"uri"`
	}
	sarifLogical struct {
		Name     string `json:"name"`
		FullName string `json:"fullyQualifiedName"`
		Kind     string `json:"kind"`
	}
)

const (
	sarifSchema  = "https://json.schemastore.org/sarif-2.1.0.json"
	sarifVersion = "2.1.0"
)

// WriteSARIF writes the report in SARIF 2.1.0, which code hosts can show beside a change. traceName
// is the path or URL of the trace, version the version of the program.
func (r *Report) WriteSARIF(w io.Writer, traceName, version string) error {
	run := sarifRun{
		Tool:    sarifTool{Driver: sarifDriver{Name: "skctl validate", Version: version, Rules: []sarifRule{}}},
		Results: []sarifResult{},
	}
	index := map[string]int{}
	for i, rule := range rulesFor(r.shared) {
		index[rule.Code] = i
		run.Tool.Driver.Rules = append(run.Tool.Driver.Rules, sarifRule{
			ID: rule.Code, Name: rule.Name, Short: sarifMessage{rule.Title}, Help: sarifMessage{oneLine(rule.Help)},
			Configuration: sarifConfiguration{sarifLevel(rule.Severity)},
		})
	}
	for _, finding := range r.Findings {
		run.Results = append(run.Results, sarifResult{
			RuleID: finding.Rule.Code, RuleIndex: index[finding.Rule.Code], Level: sarifLevel(finding.Rule.Severity),
			Message:    sarifMessage{finding.sentence()},
			Locations:  []sarifLocation{{sarifPhysical{sarifArtifact{artifactURI(traceName)}}, finding.logical()}},
			Count:      finding.Count,
			Properties: sarifProperties{finding.Event, finding.When()},
		})
	}
	return encode(w, sarifLog{sarifSchema, sarifVersion, []sarifRun{run}})
}

// sarifLevel returns the level of a severity.
func sarifLevel(severity Severity) string {
	if severity == Info {
		return "note"
	}
	return string(severity)
}

// sentence returns the message as a sentence with the object and the place.
func (f *Finding) sentence() string {
	text := f.Message
	if f.Path != "" {
		text = f.Path + ": " + text
	}
	if f.Object != nil {
		text = f.Object.String() + ": " + text
	}
	return text
}

// logical returns the event, the object in it, and the place in the object.
func (f *Finding) logical() []sarifLogical {
	full := fmt.Sprintf("events[%d]", f.Event)
	at := []sarifLogical{{full, full, "element"}}
	if f.Object == nil {
		return at
	}
	full += "/" + f.Object.String()
	at = append(at, sarifLogical{f.Object.Name, full, "object"})
	if f.Path != "" {
		at = append(at, sarifLogical{f.Path, full + "/" + f.Path, "property"})
	}
	return at
}

// artifactURI returns the URI of a path. A relative path stays relative.
func artifactURI(name string) string {
	if strings.Contains(name, "://") {
		return name
	}
	path := filepath.ToSlash(name)
	if strings.HasPrefix(path, "/") {
		return (&url.URL{Scheme: "file", Path: path}).String()
	}
	return (&url.URL{Path: path}).String()
}
