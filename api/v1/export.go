package v1

import (
	"fmt"
	"slices"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/apimachinery/pkg/util/validation"
)

// DefaultTracerPort is where a tracer serves its API unless told otherwise.
const DefaultTracerPort = 7777

// Paths of a tracer's API.
const (
	// PathExport takes an ExportRequest.
	PathExport = "/export"
	// PathTracerStatus gives a TracerStatus.
	PathTracerStatus = "/api/v1/status"
)

// AccessTracerStatus is the path that a role has to let its users get for a tracer to show them its status. It is not the status' own,
// because Kubernetes' system:discovery lets everybody get what begins with /api/. Other paths of the API stand for themselves.
const AccessTracerStatus = "/status"

// Headers of the answer to an export, when the tracer wrote the trace to a bucket: what is in it. Each is a whole number.
const (
	HeaderExportEvents  = "Simkube-Export-Events"
	HeaderExportObjects = "Simkube-Export-Objects"
	HeaderExportBytes   = "Simkube-Export-Bytes"
	// HeaderExportStart is the time of the first event in unix seconds. It is later than start_ts where the tracer does
	// not reach back so far.
	HeaderExportStart = "Simkube-Export-Start"
)

// maxTimestamp is the end of the year 9999. What is beyond it was not meant as seconds.
const maxTimestamp = 253402300799

// ExportRequest asks a tracer for the trace of a time.
//
// +kubebuilder:object:generate=false
type ExportRequest struct {
	// StartTS is the first second of the trace, in unix seconds. The first event holds everything that existed then.
	StartTS int64 `json:"start_ts"`
	// EndTS is the second after the last of the trace, in unix seconds.
	EndTS int64 `json:"end_ts"`
	// ExportPath says where the trace goes. To a bucket (s3://bucket/key, gs://, azure://, az:// or azblob://) the tracer writes
	// it by itself, if it was told to allow that. With a file:// URL or a plain path the trace is the answer, and the client stores it.
	ExportPath string `json:"export_path"`
	// Filters say what is left out. Default: nothing.
	// +optional
	Filters ExportFilters `json:"filters"`
	// Transform is a text of SKEL by which the trace is changed. Default: it is not.
	// +optional
	Transform string `json:"transform,omitempty"`
}

// ExportFilters leave objects out of a trace. An object is in it when no filter excludes it and those that include, if
// there are any of the kind, match it.
//
// +kubebuilder:object:generate=false
type ExportFilters struct {
	// ExcludedNamespaces are left out, with the Namespace objects of these names.
	// +optional
	ExcludedNamespaces []string `json:"excluded_namespaces"`
	// ExcludedLabels leave out the objects that any of them matches.
	// +optional
	ExcludedLabels []metav1.LabelSelector `json:"excluded_labels"`
	// IncludedNamespaces, if there are any, leave out all other namespaces. What is in no namespace stays.
	// +optional
	IncludedNamespaces []string `json:"included_namespaces,omitempty"`
	// IncludedLabels, if there are any, leave out the objects that none of them matches.
	// +optional
	IncludedLabels []metav1.LabelSelector `json:"included_labels,omitempty"`
}

// Validate returns everything that is wrong with a request, as far as that can be told without the tracer.
func (r *ExportRequest) Validate() []Problem {
	var problems []Problem
	add := func(field, format string, args ...any) {
		problems = append(problems, Problem{Field: field, Message: fmt.Sprintf(format, args...)})
	}
	sane := true
	for _, ts := range []struct {
		field string
		value int64
	}{{"start_ts", r.StartTS}, {"end_ts", r.EndTS}} {
		switch {
		case ts.value < 0:
			add(ts.field, "%d is before 1970; wanted are unix seconds", ts.value)
			sane = false
		case ts.value > maxTimestamp:
			add(ts.field, "%d is after the year 9999; wanted are unix seconds, and these may be milliseconds", ts.value)
			sane = false
		}
	}
	if sane && r.StartTS >= r.EndTS {
		add("end_ts", "%d is not after start_ts %d: the time is empty", r.EndTS, r.StartTS)
	}
	if r.ExportPath == "" {
		add("export_path", "is missing; with a path such as output.sktrace the trace is the answer")
	}
	return append(problems, r.Filters.validate()...)
}

func (f *ExportFilters) validate() []Problem {
	var problems []Problem
	check := func(field string, names []string) {
		for i, name := range names {
			// An empty name is what some clients make of an empty list.
			if name == "" {
				continue
			}
			for _, text := range validation.IsDNS1123Label(name) {
				problems = append(problems, Problem{
					Field:   fmt.Sprintf("filters.%s[%d]", field, i),
					Message: fmt.Sprintf("%q is not the name of a namespace: %s", name, text),
				})
			}
		}
	}
	check("excluded_namespaces", f.ExcludedNamespaces)
	check("included_namespaces", f.IncludedNamespaces)
	_, _, wrong := f.Selectors()
	return append(problems, wrong...)
}

// Selectors returns the label selectors of the filters, ready to match, or what is wrong with them.
func (f *ExportFilters) Selectors() (excluded, included []labels.Selector, problems []Problem) {
	compile := func(field string, selectors []metav1.LabelSelector) []labels.Selector {
		var compiled []labels.Selector
		for i := range selectors {
			selector, err := metav1.LabelSelectorAsSelector(&selectors[i])
			switch {
			case err != nil:
				problems = append(problems, Problem{Field: fmt.Sprintf("filters.%s[%d]", field, i), Message: err.Error()})
			case selector.Empty():
				problems = append(problems, Problem{
					Field:   fmt.Sprintf("filters.%s[%d]", field, i),
					Message: "the selector is empty, which matches every object; name a label, or leave it out",
				})
			default:
				compiled = append(compiled, selector)
			}
		}
		return compiled
	}
	excluded = compile("excluded_labels", f.ExcludedLabels)
	included = compile("included_labels", f.IncludedLabels)
	if len(problems) > 0 {
		return nil, nil, problems
	}
	return excluded, included, nil
}

// Namespaces returns the names of the namespaces that are left out, and of those that are not; without the empty ones
// that some clients send.
func (f *ExportFilters) Namespaces() (excluded, included []string) {
	named := func(names []string) []string {
		return slices.DeleteFunc(slices.Clone(names), func(name string) bool { return name == "" })
	}
	return named(f.ExcludedNamespaces), named(f.IncludedNamespaces)
}
