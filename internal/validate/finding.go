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

// Object identifies an object of a trace.
type Object struct {
	GVK schema.GroupVersionKind
	// Name is the namespaced name.
	Name string
}

// String returns the object in readable form: "apps/v1.Deployment shop/web".
func (o Object) String() string { return trace.FormatGVK(o.GVK) + " " + o.Name }

// Finding is a place in an object that breaks a rule.
type Finding struct {
	Rule *Rule
	// Object is nil if the finding concerns the trace itself.
	Object *Object
	// Path is the place in the object as a SKEL path:
	// "spec.template.spec.volumes[0].secret.secretName". It is empty for the whole object.
	Path string
	// Message describes the problem.
	Message string
	// Event is the index of the first event with the problem, and Time its time in unix seconds.
	Event int
	Time  int64
	// Count is the number of manifests, deletions or events with the problem.
	Count int
}

// When returns the time of the first event in RFC 3339.
func (f *Finding) When() string { return time.Unix(f.Time, 0).UTC().Format(time.RFC3339) }

// findingJSON is the JSON form of a finding; the order of the fields is that of the output.
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

// MarshalJSON implements json.Marshaler. It includes the rule's code, name and severity.
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

// sortFindings sorts findings by rule, object and place, so that the report of a trace is
// deterministic.
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

// comparePaths sorts [2] before [10].
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
