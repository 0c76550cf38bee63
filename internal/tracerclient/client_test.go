package tracerclient

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/klauspost/compress/gzip"
	"github.com/klauspost/compress/zstd"

	simkubev1 "simkube.io/simkube/api/v1"
)

var request = simkubev1.ExportRequest{StartTS: 1000, EndTS: 2000, ExportPath: "x"}

// newClient returns a client of a tracer that is a function.
func newClient(t *testing.T, tracer http.HandlerFunc) *Client {
	t.Helper()
	server := httptest.NewServer(tracer)
	t.Cleanup(server.Close)
	return &Client{URL: server.URL + "/", Transport: server.Client().Transport}
}

func TestClient_Export(t *testing.T) {
	const text = "a trace, a trace, a trace"
	for encoding, write := range map[string]func(io.Writer){
		"": func(w io.Writer) { _, _ = io.WriteString(w, text) },
		"gzip": func(w io.Writer) {
			z := gzip.NewWriter(w)
			_, _ = io.WriteString(z, text)
			_ = z.Close()
		},
		"zstd": func(w io.Writer) {
			z, _ := zstd.NewWriter(w)
			_, _ = io.WriteString(z, text)
			_ = z.Close()
		},
	} {
		t.Run("encoding "+encoding, func(t *testing.T) {
			var got map[string]any
			client := newClient(t, func(w http.ResponseWriter, r *http.Request) {
				if err := json.NewDecoder(r.Body).Decode(&got); err != nil || r.Method != http.MethodPost || r.URL.Path != "/export" {
					t.Errorf("%s %s: %v", r.Method, r.URL, err)
				}
				w.Header().Set("Content-Encoding", encoding)
				write(w)
			})
			export, err := client.Export(t.Context(), request)
			if err != nil {
				t.Fatal(err)
			}
			data, err := io.ReadAll(export.Body)
			if err := errors.Join(err, export.Body.Close()); err != nil || string(data) != text {
				t.Errorf("got %q, %v, want %q", data, err, text)
			}
			want := map[string]any{
				"start_ts": 1000.0, "end_ts": 2000.0, "export_path": "x",
				"filters": map[string]any{"excluded_namespaces": []any{}, "excluded_labels": []any{}},
			}
			if diff := cmp.Diff(want, got); diff != "" {
				t.Errorf("request (-want +got):\n%s", diff)
			}
		})
	}
}

func TestClient_Export_Stored(t *testing.T) {
	client := newClient(t, func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set(simkubev1.HeaderExportEvents, "1")
		w.Header().Set(simkubev1.HeaderExportObjects, "2")
		w.Header().Set(simkubev1.HeaderExportBytes, "3")
		w.Header().Set(simkubev1.HeaderExportStart, "x")
	})
	export, err := client.Export(t.Context(), request)
	if err != nil {
		t.Fatal(err)
	}
	defer export.Body.Close()
	if want := (Contents{Events: 1, Objects: 2, Bytes: 3}); export.Stored != want {
		t.Errorf("stored is %+v, want %+v", export.Stored, want)
	}
}

func TestClient_Export_Errors(t *testing.T) {
	for name, tc := range map[string]struct {
		status     int
		body, want string
	}{
		"a message":  {400, `{"message": "no", "problems": [{"message": "p"}]}`, "the tracer returned 400: no"},
		"a text":     {502, "bad gateway\n", "the tracer returned 502: bad gateway"},
		"nothing":    {500, "", "the tracer returned 500: Internal Server Error"},
		"a page":     {404, strings.Repeat("<html>", 100), "the tracer returned 404: Not Found"},
		"a redirect": {307, "", "the tracer returned 307: Temporary Redirect"},
		"odd":        {204, "", "the tracer returned 204: No Content"},
		"a refusal":  {401, `{"message": "a token is wanted"}`, "the tracer returned 401: a token is wanted"},
	} {
		t.Run(name, func(t *testing.T) {
			client := newClient(t, func(w http.ResponseWriter, _ *http.Request) {
				w.Header().Set("Location", "http://elsewhere.example/export")
				w.WriteHeader(tc.status)
				_, _ = io.WriteString(w, tc.body)
			})
			_, err := client.Export(t.Context(), request)
			var api *APIError
			if !errors.As(err, &api) || api.Status != tc.status || err.Error() != tc.want {
				t.Errorf("error is %v, want %q", err, tc.want)
			}
		})
	}
}

// TestClient_Export_Truncated checks that a truncated trace is not accepted as complete.
func TestClient_Export_Truncated(t *testing.T) {
	for _, encoding := range []string{"", "gzip", "zstd"} {
		t.Run("encoding "+encoding, func(t *testing.T) {
			client := newClient(t, func(w http.ResponseWriter, _ *http.Request) {
				w.Header().Set("Content-Encoding", encoding)
				switch encoding {
				case "gzip":
					z := gzip.NewWriter(w)
					_, _ = io.WriteString(z, "a tra")
					_ = z.Flush()
				case "zstd":
					z, _ := zstd.NewWriter(w)
					_, _ = io.WriteString(z, "a tra")
					_ = z.Flush()
				default:
					_, _ = io.WriteString(w, "a tra")
				}
				_ = http.NewResponseController(w).Flush()
				panic(http.ErrAbortHandler)
			})
			export, err := client.Export(t.Context(), request)
			if err != nil {
				t.Fatal(err)
			}
			defer export.Body.Close()
			if data, err := io.ReadAll(export.Body); err == nil {
				t.Errorf("got %q and no error", data)
			}
		})
	}
}

// TestClient_Export_Token checks that a token is sent if and only if it is required.
func TestClient_Export_Token(t *testing.T) {
	var got []string
	tracer := func(wants string) http.HandlerFunc {
		return func(w http.ResponseWriter, r *http.Request) {
			got = append(got, r.Header.Get("Authorization"))
			if wants != "" && r.Header.Get("Authorization") != wants {
				w.WriteHeader(http.StatusUnauthorized)
			}
		}
	}
	token := func(text string, err error) func(context.Context) (string, error) {
		return func(context.Context) (string, error) { return text, err }
	}
	for name, tc := range map[string]struct {
		wants string
		token func(context.Context) (string, error)
		sent  []string
		err   string
	}{
		"not wanted":  {"", token("secret", nil), []string{""}, ""},
		"wanted":      {"Bearer secret", token("secret", nil), []string{"", "Bearer secret"}, ""},
		"a wrong one": {"Bearer secret", token("x", nil), []string{"", "Bearer x"}, "the tracer returned 401: Unauthorized"},
		"none":        {"Bearer secret", nil, []string{""}, "the tracer returned 401: Unauthorized"},
		"unavailable": {"Bearer secret", token("", errors.New("forbidden")), []string{""}, "the tracer returned 401: Unauthorized; get a token: forbidden"},
	} {
		t.Run(name, func(t *testing.T) {
			got = nil
			client := newClient(t, tracer(tc.wants))
			client.Token = tc.token
			export, err := client.Export(t.Context(), request)
			if err == nil {
				export.Body.Close()
			}
			if diff := cmp.Diff(tc.sent, got); diff != "" {
				t.Errorf("sent (-want +got):\n%s", diff)
			}
			if (err == nil) != (tc.err == "") || err != nil && err.Error() != tc.err {
				t.Errorf("error is %v, want %q", err, tc.err)
			}
		})
	}
}
