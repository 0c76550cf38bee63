package v1

import (
	"fmt"
	"slices"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/apimachinery/pkg/util/validation"
)

// DefaultTracerPort is the default port of a tracer's API.
const DefaultTracerPort = 7777

// Paths of a tracer's API.
const (
	// PathExport takes an ExportRequest.
	PathExport = "/export"
	// PathTracerStatus returns a TracerStatus.
	PathTracerStatus = "/api/v1/status"
)

// AccessTracerStatus is the path that a role must allow its users to get before a tracer shows them
// its status. It differs from the path of the status itself, because Kubernetes' system:discovery
// role allows everybody to get paths that begin with /api/. The other paths of the API are checked
// as they are.
const AccessTracerStatus = "/status"

// Headers of the response to an export that the tracer wrote to a bucket. They describe the trace;
// each is an integer.
const (
	HeaderExportEvents  = "Simkube-Export-Events"
	HeaderExportObjects = "Simkube-Export-Objects"
	HeaderExportBytes   = "Simkube-Export-Bytes"
	// HeaderExportStart is the time of the first event in unix seconds. It is later than start_ts if
	// the recording does not reach back that far.
	HeaderExportStart = "Simkube-Export-Start"
)

// HeaderExportReport is an [ExportReport] as JSON in ASCII. It is a header of the response to an
// export that the tracer wrote to a bucket, and a trailer of the response that is the trace.
const HeaderExportReport = "Simkube-Export-Report"

// maxTimestamp is the end of the year 9999. A larger number is probably not in seconds.
const maxTimestamp = 253402300799

// ExportRequest asks a tracer for a trace of a time window.
//
// +kubebuilder:object:generate=false
type ExportRequest struct {
	// StartTS is the first second of the trace, in unix seconds. The first event holds everything that
	// existed then.
	StartTS int64 `json:"start_ts"`
	// EndTS is the second after the last of the trace, in unix seconds.
	EndTS int64 `json:"end_ts"`
	// ExportPath is the destination of the trace. If it is in a bucket (s3://bucket/key, gs://,
	// azure://, az:// or azblob://), the tracer writes it there, provided that its configuration
	// allows that. If it is a file:// URL or a plain path, the trace is the response body, and the
	// client stores it.
	ExportPath string `json:"export_path"`
	// Filters select the objects to leave out. Default: none.
	// +optional
	Filters ExportFilters `json:"filters"`
	// Transform is a SKEL program to apply to the trace. Default: none.
	// +optional
	Transform string `json:"transform,omitempty"`
	// StrictTransform makes it an error of the request if a command of the program changes nothing.
	// Default: false.
	// +optional
	StrictTransform bool `json:"strict_transform,omitempty"`
}

// ExportFilters leave objects out of a trace. The trace contains an object if no exclude filter
// matches it and, for each kind of include filter that is set, one matches it.
//
// +kubebuilder:object:generate=false
type ExportFilters struct {
	// ExcludedNamespaces are left out, together with their Namespace objects.
	// +optional
	ExcludedNamespaces []string `json:"excluded_namespaces"`
	// ExcludedLabels leave out the objects that match any of them.
	// +optional
	ExcludedLabels []metav1.LabelSelector `json:"excluded_labels"`
	// IncludedNamespaces, if set, leave out all other namespaces. Cluster-scoped objects stay.
	// +optional
	IncludedNamespaces []string `json:"included_namespaces,omitempty"`
	// IncludedLabels, if set, leave out the objects that match none of them.
	// +optional
	IncludedLabels []metav1.LabelSelector `json:"included_labels,omitempty"`
}

// Validate returns all problems of a request that can be found without the tracer.
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
			add(ts.field, "%d is before 1970: must be unix seconds", ts.value)
			sane = false
		case ts.value > maxTimestamp:
			add(ts.field, "%d is after the year 9999: must be unix seconds, not milliseconds", ts.value)
			sane = false
		}
	}
	if sane && r.StartTS >= r.EndTS {
		add("end_ts", "%d is not after start_ts %d: the time window is empty", r.EndTS, r.StartTS)
	}
	if r.ExportPath == "" {
		add("export_path", "is missing; with a path such as output.sktrace, the response is the trace")
	}
	return append(problems, r.Filters.validate()...)
}

func (f *ExportFilters) validate() []Problem {
	var problems []Problem
	check := func(field string, names []string) {
		for i, name := range names {
			// Some clients encode an empty list as a list with one empty name.
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

// Selectors returns the label selectors of the filters, and the problems of those that are invalid.
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
					Message: "the selector is empty and matches every object; add a label, or leave it out",
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

// Namespaces returns the names of the excluded and the included namespaces, without the empty names
// that some clients send.
func (f *ExportFilters) Namespaces() (excluded, included []string) {
	named := func(names []string) []string {
		return slices.DeleteFunc(slices.Clone(names), func(name string) bool { return name == "" })
	}
	return named(f.ExcludedNamespaces), named(f.IncludedNamespaces)
}
