package v1

import (
	"encoding/json"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestExportRequest_Validate(t *testing.T) {
	for name, tc := range map[string]struct {
		body string
		want []string
	}{
		"as clients send it": {`{"start_ts": 1000, "end_ts": 2000, "export_path": "file:///tmp/x", "filters": {
			"excluded_namespaces": ["kube-system", ""],
			"excluded_labels": [{"matchLabels": {"app": "x"}, "matchExpressions": [{"key": "tier", "operator": "NotIn", "values": ["y"]}]}]}}`, nil},
		"empty time":   {`{"start_ts": 2000, "end_ts": 2000, "export_path": "x"}`, []string{"end_ts: 2000 is not after start_ts 2000: the time window is empty"}},
		"milliseconds": {`{"start_ts": 1, "end_ts": 1700000000000, "export_path": "x"}`, []string{"end_ts: 1700000000000 is after the year 9999: must be unix seconds, not milliseconds"}},
		"everything at once": {
			`{"start_ts": -1, "end_ts": 0, "filters": {"included_namespaces": ["A"], "excluded_labels": [{}],
				"included_labels": [{"matchLabels": {"a": "b"}}, {"matchExpressions": [{"key": "tier", "operator": "Like"}]}]}}`,
			[]string{
				"start_ts: -1 is before 1970: must be unix seconds",
				"export_path: is missing; with a path such as output.sktrace, the response is the trace",
				`filters.included_namespaces[0]: "A" is not the name of a namespace: a lowercase RFC 1123 label must consist of lower case ` +
					`alphanumeric characters or '-', and must start and end with an alphanumeric character (e.g. 'my-name',  or '123-abc', ` +
					`regex used for validation is '[a-z0-9]([-a-z0-9]*[a-z0-9])?')`,
				"filters.excluded_labels[0]: the selector is empty and matches every object; add a label, or leave it out",
				`filters.included_labels[1]: "Like" is not a valid label selector operator`,
			},
		},
	} {
		t.Run(name, func(t *testing.T) {
			var request ExportRequest
			if err := json.Unmarshal([]byte(tc.body), &request); err != nil {
				t.Fatal(err)
			}
			var got []string
			for _, p := range request.Validate() {
				got = append(got, p.String())
			}
			if diff := cmp.Diff(tc.want, got); diff != "" {
				t.Errorf("problems (-want +got):\n%s", diff)
			}
		})
	}
}

func TestExportFilters_Namespaces(t *testing.T) {
	filters := ExportFilters{ExcludedNamespaces: []string{"", "a"}}
	excluded, included := filters.Namespaces()
	if diff := cmp.Diff([][]string{{"a"}, nil}, [][]string{excluded, included}); diff != "" {
		t.Errorf("namespaces (-want +got):\n%s", diff)
	}
}

func TestProblem_String(t *testing.T) {
	got := Problem{Message: "want a path", Field: "transform", Line: 3, Column: 7}.String()
	if want := "transform, line 3, column 7: want a path"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
}
