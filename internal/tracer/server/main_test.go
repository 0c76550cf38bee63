package server

import (
	"context"
	"encoding/json"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"

	"go.uber.org/goleak"

	simkubev1 "simkube.io/simkube/api/v1"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// exporterFunc is an Exporter.
type exporterFunc func(context.Context, simkubev1.ExportRequest, io.Writer) (Summary, error)

func (f exporterFunc) Export(ctx context.Context, r simkubev1.ExportRequest, w io.Writer) (Summary, error) {
	return f(ctx, r, w)
}

// exports returns an Exporter that writes a text.
func exports(text string) Exporter {
	return exporterFunc(func(_ context.Context, r simkubev1.ExportRequest, w io.Writer) (Summary, error) {
		_, err := io.WriteString(w, text)
		return Summary{Events: 1, Objects: 2, Start: r.StartTS}, err
	})
}

// newServer returns a server with defaults for missing options.
func newServer(t *testing.T, opts Options) *Server {
	t.Helper()
	if opts.Exporter == nil {
		opts.Exporter = exports("a trace")
	}
	if opts.Status == nil {
		opts.Status = func() simkubev1.TracerStatus { return simkubev1.TracerStatus{Version: "v1"} }
	}
	opts.Logger = discard()
	s, err := New(opts)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// hostHeader, in ask, sets the host name of the request.
const hostHeader = "Host"

// ask sends a request to a server without a connection.
func ask(s *Server, method, path, body string, headers ...string) *httptest.ResponseRecorder {
	r := httptest.NewRequest(method, path, strings.NewReader(body))
	r.Host = "localhost:7777"
	for i := 0; i < len(headers); i += 2 {
		if headers[i] == hostHeader {
			r.Host = headers[i+1]
			continue
		}
		r.Header.Set(headers[i], headers[i+1])
	}
	w := httptest.NewRecorder()
	s.ServeHTTP(w, r)
	return w
}

// errorOf parses an error response.
func errorOf(t *testing.T, w *httptest.ResponseRecorder) simkubev1.ErrorResponse {
	t.Helper()
	if got := w.Header().Get("Content-Type"); got != "application/json" {
		t.Errorf("content type is %q, want JSON", got)
	}
	var response simkubev1.ErrorResponse
	if err := json.Unmarshal(w.Body.Bytes(), &response); err != nil {
		t.Fatalf("answer %q: %v", w.Body, err)
	}
	if response.Message == "" {
		t.Errorf("answer %q has no message", w.Body)
	}
	return response
}

// bucket is a Storage in memory, which can fail at any step.
type bucket struct {
	createErr, writeErr, commitErr error

	mu      sync.Mutex // guards what is below
	objects map[string]string
	open    int
}

type bucketUpload struct {
	b       *bucket
	url     string
	data    strings.Builder
	isEnded bool
}

func (b *bucket) Create(_ context.Context, url string) (Upload, error) {
	if b.createErr != nil {
		return nil, b.createErr
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	b.open++
	return &bucketUpload{b: b, url: url}, nil
}

func (u *bucketUpload) Write(p []byte) (int, error) {
	if u.b.writeErr != nil {
		return 0, u.b.writeErr
	}
	return u.data.Write(p)
}

func (u *bucketUpload) Commit() error {
	if u.b.commitErr != nil {
		return u.b.commitErr
	}
	u.end()
	u.b.mu.Lock()
	defer u.b.mu.Unlock()
	if u.b.objects == nil {
		u.b.objects = map[string]string{}
	}
	u.b.objects[u.url] = u.data.String()
	return nil
}

func (u *bucketUpload) Abort() error {
	u.end()
	return nil
}

func (u *bucketUpload) end() {
	u.b.mu.Lock()
	defer u.b.mu.Unlock()
	if !u.isEnded {
		u.isEnded = true
		u.b.open--
	}
}

var _ http.Handler = (*Server)(nil)

func discard() *slog.Logger { return slog.New(slog.DiscardHandler) }
