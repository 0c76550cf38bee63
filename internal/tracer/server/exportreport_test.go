package server

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	simkubev1 "simkube.io/simkube/api/v1"
)

// TestServer_Export_Report sends a report with traces of several lengths, and with a bucket.
func TestServer_Export_Report(t *testing.T) {
	want := simkubev1.ExportReport{
		LeftOut:   []simkubev1.LeftOutNamespace{{Namespace: "kube-system", Objects: 12}},
		Unmatched: []simkubev1.UnmatchedCommand{{Line: 3, Command: `delete(kind == "Größe🚀")`, Hint: "no\nsuch kind"}},
	}
	for name, size := range map[string]int{"empty": 0, "short": 10, "long": 1 << 20} {
		t.Run(name, func(t *testing.T) {
			exporter := exporterFunc(func(_ context.Context, _ simkubev1.ExportRequest, w io.Writer) (Summary, error) {
				_, err := io.WriteString(w, strings.Repeat("x", size))
				return Summary{Report: &want}, err
			})
			api := httptest.NewServer(newServer(t, Options{Exporter: exporter}))
			defer api.Close()
			body := strings.Replace(requestTo("x"), `"filters": {}`, `"filters": {"excluded_namespaces": ["kube-system"]}`, 1)
			response, err := post(t, api, body, "")
			if err != nil {
				t.Fatal(err)
			}
			defer response.Body.Close()
			if body, err := io.ReadAll(response.Body); err != nil || len(body) != size {
				t.Fatalf("got %d bytes, %v, want %d", len(body), err, size)
			}
			checkReport(t, response.Trailer, want)
		})
	}
	t.Run("bucket", func(t *testing.T) {
		exporter := exporterFunc(func(context.Context, simkubev1.ExportRequest, io.Writer) (Summary, error) {
			return Summary{Report: &want}, nil
		})
		s := newServer(t, Options{Allowed: destinations(t, "azure://c/p"), Storage: &bucket{}, Exporter: exporter})
		checkReport(t, ask(s, http.MethodPost, "/export", requestTo("azure://c/p/x.sktrace")).Header(), want)
	})
}

func checkReport(t *testing.T, header http.Header, want simkubev1.ExportReport) {
	t.Helper()
	text := header.Get(simkubev1.HeaderExportReport)
	if i := strings.IndexFunc(text, func(r rune) bool { return r < ' ' || r > '~' }); i >= 0 {
		t.Errorf("report %q is not printable ASCII", text)
	}
	var got simkubev1.ExportReport
	if err := json.Unmarshal([]byte(text), &got); err != nil {
		t.Fatalf("report %q: %v", text, err)
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("report (-want +got):\n%s", diff)
	}
}

// TestReportText_Long checks that no report is larger than what clients read, and that what does
// not fit is counted.
func TestReportText_Long(t *testing.T) {
	var long simkubev1.ExportReport
	for i := range 50 {
		long.LeftOut = append(long.LeftOut, simkubev1.LeftOutNamespace{Namespace: fmt.Sprintf("%063d", i), Objects: 1})
		long.Unmatched = append(long.Unmatched, simkubev1.UnmatchedCommand{Line: i, Command: strings.Repeat("ä", 500), Hint: strings.Repeat("ß", 500)})
	}
	text, err := reportText(long)
	if err != nil || len(text) > maxReport {
		t.Fatalf("report: %d bytes, %v, want at most %d", len(text), err, maxReport)
	}
	var got simkubev1.ExportReport
	if err := json.Unmarshal([]byte(text), &got); err != nil {
		t.Fatal(err)
	}
	if n := int64(len(got.LeftOut)); n == 0 || n+got.MoreNamespaces != 50 || got.MoreNamespaces != got.MoreObjects {
		t.Errorf("report has %d namespaces and %d more with %d objects, want 50 in all", n, got.MoreNamespaces, got.MoreObjects)
	}
	if n := int64(len(got.Unmatched)); n == 0 || n+got.MoreUnmatched != 50 {
		t.Errorf("report has %d commands and %d more, want 50 in all", n, got.MoreUnmatched)
	}
	if len(long.LeftOut) != 50 || len(long.Unmatched) != 50 {
		t.Error("the report of the caller was changed")
	}
}
