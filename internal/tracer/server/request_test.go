package server

import (
	"errors"
	"testing"

	"github.com/google/go-cmp/cmp"

	simkubev1 "simkube.io/simkube/api/v1"
)

const goodRequest = `{"start_ts": 1000, "end_ts": 2000, "export_path": "output.sktrace", "filters": {"excluded_namespaces": ["kube-system"], "excluded_labels": []}}`

// badRequests are invalid requests with their errors.
var badRequests = map[string]struct{ body, want string }{
	"empty":             {"", "the body is empty; must be a JSON object with start_ts, end_ts and export_path"},
	"not JSON":          {"{\n  \"start_ts\": 1000,\n  \"export_path\": \"ü\" x", "line 3, column 22: invalid character 'x' after object key:value pair"},
	"cut off":           {`{"start_ts": 1000,`, "line 1, column 19: unexpected end of JSON input"},
	"two":               {goodRequest + "{}", "line 1, column 144: invalid character '{' after top-level value"},
	"wrong type":        {"{\"start_ts\":\n \"yesterday\"}", "start_ts, line 2, column 13: must be a whole number, not a JSON string"},
	"a fraction":        {`{"start_ts": 1.5}`, "start_ts, line 1, column 17: must be a whole number, not a JSON number 1.5"},
	"wrong type within": {`{"filters": {"excluded_namespaces": [1]}}`, "filters.excluded_namespaces, line 1, column 39: must be a string, not a JSON number"},
	"no array":          {`{"filters": {"excluded_labels": "app=x"}}`, "filters.excluded_labels, line 1, column 40: must be an array, not a JSON string"},
	"a list":            {`[]`, "line 1, column 2: must be an object, not a JSON array"},
	"no times":          {`{"export_path": "x"}`, "start_ts: must be set, in unix seconds; end_ts: must be set, in unix seconds"},
	"empty time":        {`{"start_ts": 5, "end_ts": 5, "export_path": "x"}`, "end_ts: 5 is not after start_ts 5: the time window is empty"},
	"bad selector": {
		`{"start_ts": 1, "end_ts": 5, "export_path": "x", "filters": {"excluded_labels": [{"matchLabels": {"a b": "c"}}]}}`,
		`filters.excluded_labels[0]: key: Invalid value: "a b": name part must consist of alphanumeric characters, '-', '_' or '.', and must ` +
			`start and end with an alphanumeric character (e.g. 'MyName',  or 'my.name',  or '123-abc', regex used for validation is ` +
			`'([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]')`,
	},
}

func TestParseRequest(t *testing.T) {
	for name, tc := range badRequests {
		t.Run(name, func(t *testing.T) {
			got, err := parseRequest([]byte(tc.body))
			var wrong *RequestError
			if !errors.As(err, &wrong) {
				t.Fatalf("got %+v, %v, want a RequestError", got, err)
			}
			if diff := cmp.Diff(tc.want, err.Error()); diff != "" {
				t.Errorf("error (-want +got):\n%s", diff)
			}
		})
	}
	got, err := parseRequest([]byte(`{"unknown": 1, ` + goodRequest[1:]))
	want := simkubev1.ExportRequest{
		StartTS: 1000, EndTS: 2000, ExportPath: "output.sktrace",
		Filters: simkubev1.ExportFilters{ExcludedNamespaces: []string{"kube-system"}},
	}
	got.Filters.ExcludedLabels = nil
	if diff := cmp.Diff(want, got); err != nil || diff != "" {
		t.Errorf("request with an unknown field: %v (-want +got):\n%s", err, diff)
	}
}

// FuzzParseRequest checks that an accepted request is valid, and that positions are within the
// body.
func FuzzParseRequest(f *testing.F) {
	f.Add([]byte(goodRequest))
	for _, tc := range badRequests {
		f.Add([]byte(tc.body))
	}
	f.Fuzz(func(t *testing.T, body []byte) {
		request, err := parseRequest(body)
		var wrong *RequestError
		switch {
		case err == nil && (request.StartTS < 0 || request.StartTS >= request.EndTS || request.ExportPath == ""):
			t.Fatalf("accepted %+v", request)
		case errors.As(err, &wrong):
			for _, p := range wrong.Problems {
				if p.Message == "" || p.Line < 0 || p.Column < 0 || p.Line > len(body)+1 || p.Column > len(body)+1 {
					t.Fatalf("problem %+v of %q", p, body)
				}
			}
		case err != nil:
			t.Fatalf("%v is no RequestError", err)
		}
	})
}
