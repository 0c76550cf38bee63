package validate

import (
	"cmp"
	"encoding/json"
	"slices"
	"strconv"
	"strings"
	"time"

	"k8s.io/apimachinery/pkg/runtime/schema"

	"simkube.io/simkube/trace"
)

// Object says which object of a trace is meant.
type Object struct {
	GVK schema.GroupVersionKind
	// Name is the namespaced name.
	Name string
}

// String gives the object for a reader: "apps/v1.Deployment shop/web".
func (o Object) String() string { return trace.FormatGVK(o.GVK) + " " + o.Name }

// Finding is a place of an object that breaks a rule.
type Finding struct {
	Rule *Rule
	// Object is nil where the trace itself is at fault.
	Object *Object
	// Path is the place in the object, as SKEL writes it: "spec.template.spec.volumes[0].secret.secretName". It is empty for the whole object.
	Path string
	// Message says what is wrong there.
	Message string
	// Event is the index of the first event that shows it, and Time that event's, in unix seconds.
	Event int
	Time  int64
	// Count is how many manifests, deletions or events show it.
	Count int
}

// When gives the time of the first event, as people read it.
func (f *Finding) When() string { return time.Unix(f.Time, 0).UTC().Format(time.RFC3339) }

// findingJSON is how a finding is written; the order of the fields is that of the output.
type findingJSON struct {
	Code     string   `json:"code"`
	Rule     string   `json:"rule"`
	Severity Severity `json:"severity"`
	Kind     string   `json:"kind,omitempty"`
	Object   string   `json:"object,omitempty"`
	Path     string   `json:"path,omitempty"`
	Message  string   `json:"message"`
	Event    int      `json:"event"`
	Time     string   `json:"time"`
	TS       int64    `json:"ts"`
	Count    int      `json:"count"`
}

// MarshalJSON writes the finding with its rule's code, name and severity.
func (f *Finding) MarshalJSON() ([]byte, error) {
	out := findingJSON{
		Code: f.Rule.Code, Rule: f.Rule.Name, Severity: f.Rule.Severity, Path: f.Path, Message: f.Message,
		Event: f.Event, Time: f.When(), TS: f.Time, Count: f.Count,
	}
	if f.Object != nil {
		out.Kind, out.Object = trace.FormatGVK(f.Object.GVK), f.Object.Name
	}
	return json.Marshal(out)
}

// sortFindings orders findings by rule, object and place, so that a trace has one report.
func sortFindings(findings []*Finding) {
	object := func(f *Finding) (string, string) {
		if f.Object == nil {
			return "", ""
		}
		return trace.FormatGVK(f.Object.GVK), f.Object.Name
	}
	slices.SortFunc(findings, func(a, b *Finding) int {
		aKind, aName := object(a)
		bKind, bName := object(b)
		return cmp.Or(
			cmp.Compare(a.Rule.Code, b.Rule.Code),
			cmp.Compare(aKind, bKind),
			cmp.Compare(aName, bName),
			comparePaths(a.Path, b.Path),
			cmp.Compare(a.Event, b.Event),
			cmp.Compare(a.Message, b.Message),
		)
	})
}

// comparePaths puts [2] before [10].
func comparePaths(a, b string) int {
	for {
		i, j := strings.IndexByte(a, '['), strings.IndexByte(b, '[')
		if i < 0 || j < 0 {
			return cmp.Compare(a, b)
		}
		if a[:i] != b[:j] {
			return cmp.Compare(a[:i], b[:j])
		}
		a, b = a[i+1:], b[j+1:]
		i, j = strings.IndexByte(a, ']'), strings.IndexByte(b, ']')
		if i < 0 || j < 0 {
			return cmp.Compare(a, b)
		}
		x, errX := strconv.Atoi(a[:i])
		y, errY := strconv.Atoi(b[:j])
		if errX != nil || errY != nil {
			return cmp.Compare(a, b)
		}
		if x != y {
			return cmp.Compare(x, y)
		}
		a, b = a[i+1:], b[j+1:]
	}
}
