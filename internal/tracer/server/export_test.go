package server

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/klauspost/compress/gzip"
	"github.com/klauspost/compress/zstd"

	simkubev1 "simkube.io/simkube/api/v1"
)

func requestTo(path string) string {
	return fmt.Sprintf(`{"start_ts": 1000, "end_ts": 2000, "export_path": %q, "filters": {}}`, path)
}

func TestServer_Export_Refused(t *testing.T) {
	failing := exporterFunc(func(context.Context, simkubev1.ExportRequest, io.Writer) (Summary, error) {
		return Summary{}, errors.New("the disk is full")
	})
	wrongAfterAll := exporterFunc(func(_ context.Context, _ simkubev1.ExportRequest, w io.Writer) (Summary, error) {
		_, _ = io.WriteString(w, "something that is not sent yet")
		return Summary{}, &RequestError{[]simkubev1.Problem{{Field: "transform", Line: 2, Column: 3, Message: "want a path"}}}
	})
	allowed := destinations(t, "s3://b/p")
	transform := strings.Replace(requestTo("x"), "{", `{"transform": "remove(\n  x", `, 1)
	for name, tc := range map[string]struct {
		opts Options
		body string
		code int
		want string
	}{
		"not JSON":  {Options{}, "{", 400, "invalid request: line 1, column 2: unexpected end of JSON input"},
		"too large": {Options{}, strings.Repeat(" ", maxBodyBytes+1), 413, "the request is larger than 4194304 bytes"},
		"no language": {
			Options{},
			transform, 400,
			"invalid request: transform: this tracer cannot transform traces; omit it, and transform the trace afterwards",
		},
		"a transform that does not compile": {
			Options{CheckTransform: func(text string) []simkubev1.Problem {
				return []simkubev1.Problem{{Field: "transform", Line: 2, Column: 4, Message: fmt.Sprintf("unexpected end of %q", text)}}
			}}, transform, 400, `invalid request: transform, line 2, column 4: unexpected end of "remove(\n  x"`,
		},
		"an odd path":   {Options{}, requestTo("ftp://x"), 400, `invalid request: export_path: "ftp://x": unknown scheme "ftp"; must be s3, gs, azure, az, azblob or file, or a path without a scheme`},
		"not allowed":   {Options{Allowed: allowed, Storage: &bucket{}}, requestTo("s3://b/q/x"), 403, "export to s3://b/q/x: this tracer is not allowed to write there; destinations are allowed with the tracer's flag --allow-destination, as in --allow-destination s3://bucket/prefix"},
		"no storage":    {Options{Allowed: allowed}, requestTo("s3://b/p/x"), 403, "export to s3://b/p/x: this tracer cannot write to buckets"},
		"no bucket":     {Options{Allowed: allowed, Storage: &bucket{createErr: fmt.Errorf("bucket b: %w", ErrNoLocation)}}, requestTo("s3://b/p/x"), 404, "export the trace: bucket b: the storage location does not exist; nothing was stored"},
		"not writable":  {Options{Allowed: allowed, Storage: &bucket{writeErr: errors.New("access denied")}}, requestTo("s3://b/p/x"), 502, "export the trace: access denied; nothing was stored"},
		"no commit":     {Options{Allowed: allowed, Storage: &bucket{commitErr: errors.New("connection reset")}}, requestTo("s3://b/p/x"), 502, "export the trace: connection reset; nothing was stored"},
		"fails":         {Options{Exporter: failing}, requestTo("x"), 500, "export the trace: the disk is full"},
		"fails, bucket": {Options{Exporter: failing, Allowed: allowed, Storage: &bucket{}}, requestTo("s3://b/p/x"), 500, "export the trace: the disk is full"},
		"wrong after all": {
			Options{Exporter: wrongAfterAll}, requestTo("x"), 400, "invalid request: transform, line 2, column 3: want a path",
		},
	} {
		t.Run(name, func(t *testing.T) {
			w := ask(newServer(t, tc.opts), http.MethodPost, "/export", tc.body)
			if w.Code != tc.code {
				t.Errorf("status is %d, want %d", w.Code, tc.code)
			}
			response := errorOf(t, w)
			if diff := cmp.Diff(tc.want, response.Message); diff != "" {
				t.Errorf("message (-want +got):\n%s", diff)
			}
			if w.Code == http.StatusBadRequest && len(response.Problems) == 0 {
				t.Error("there are no problems in the answer")
			}
			if b, ok := tc.opts.Storage.(*bucket); ok && (b.open != 0 || len(b.objects) != 0) {
				t.Errorf("the bucket has %v, and %d open uploads", b.objects, b.open)
			}
		})
	}
}

func TestServer_Export_ToBucket(t *testing.T) {
	b := &bucket{}
	s := newServer(t, Options{Allowed: destinations(t, "azure://c/p"), Storage: b})
	w := ask(s, http.MethodPost, "/export", requestTo("azblob://c/p/x.sktrace"))
	if w.Code != http.StatusOK || w.Body.Len() != 0 {
		t.Errorf("answer is %d %q, want 200 and nothing", w.Code, w.Body)
	}
	if diff := cmp.Diff(map[string]string{"azure://c/p/x.sktrace": "a trace"}, b.objects); diff != "" {
		t.Errorf("objects (-want +got):\n%s", diff)
	}
	got := []string{
		w.Header().Get(simkubev1.HeaderExportEvents), w.Header().Get(simkubev1.HeaderExportObjects),
		w.Header().Get(simkubev1.HeaderExportBytes), w.Header().Get(simkubev1.HeaderExportStart),
	}
	if diff := cmp.Diff([]string{"1", "2", "7", "1000"}, got); diff != "" {
		t.Errorf("headers (-want +got):\n%s", diff)
	}
}

func TestServer_Export_ToClient(t *testing.T) {
	// More than any buffer on the way, and hardly compressible.
	long := make([]byte, 3<<20)
	for i := range long {
		long[i] = byte(i * i >> 7)
	}
	s := newServer(t, Options{Exporter: exports(string(long))})
	for encoding, decode := range map[string]func(io.Reader) (io.Reader, error){
		"":     func(r io.Reader) (io.Reader, error) { return r, nil },
		"gzip": func(r io.Reader) (io.Reader, error) { return gzip.NewReader(r) },
		"zstd": func(r io.Reader) (io.Reader, error) { return zstd.NewReader(r, zstd.WithDecoderConcurrency(1)) },
	} {
		t.Run("encoding "+encoding, func(t *testing.T) {
			w := ask(s, http.MethodPost, "/export", requestTo("file:///home/me/my day.sktrace"), "Accept-Encoding", encoding)
			header := w.Header()
			got := []string{header.Get("Content-Type"), header.Get("Content-Disposition"), header.Get("Content-Encoding"), header.Get("Vary")}
			if diff := cmp.Diff([]string{"application/msgpack", "attachment; filename=my_day.sktrace", encoding, "Accept-Encoding"}, got); diff != "" {
				t.Errorf("headers (-want +got):\n%s", diff)
			}
			decoded, err := decode(w.Body)
			if err != nil {
				t.Fatal(err)
			}
			data, err := io.ReadAll(decoded)
			if err != nil || !bytes.Equal(data, long) {
				t.Errorf("got %d bytes, %v, want the %d of the trace", len(data), err, len(long))
			}
		})
	}
}

// TestServer_Export_BrokenOff makes an export fail after the client received a part: the client
// must notice.
func TestServer_Export_BrokenOff(t *testing.T) {
	exporter := exporterFunc(func(_ context.Context, _ simkubev1.ExportRequest, w io.Writer) (Summary, error) {
		if _, err := w.Write(make([]byte, 1<<20)); err != nil {
			return Summary{}, err
		}
		return Summary{}, errors.New("the disk broke")
	})
	server := httptest.NewServer(newServer(t, Options{Exporter: exporter}))
	defer server.Close()
	for _, encoding := range []string{"identity", "gzip", "zstd"} {
		t.Run(encoding, func(t *testing.T) {
			response, err := post(t, server, requestTo("x"), encoding)
			if err != nil {
				return // not even the headers were sent before
			}
			defer response.Body.Close()
			n, err := io.Copy(io.Discard, response.Body)
			if response.StatusCode != http.StatusOK || err == nil {
				t.Errorf("got %d, %d bytes and no error; want the connection to break off", response.StatusCode, n)
			}
		})
	}
}

// TestServer_Export_ClientGone makes the client disconnect during an export.
func TestServer_Export_ClientGone(t *testing.T) {
	started, ended := make(chan struct{}), make(chan error, 1)
	b := &bucket{}
	exporter := exporterFunc(func(ctx context.Context, _ simkubev1.ExportRequest, w io.Writer) (Summary, error) {
		close(started)
		<-ctx.Done()
		ended <- ctx.Err()
		return Summary{}, ctx.Err()
	})
	server := httptest.NewServer(newServer(t, Options{Exporter: exporter, Allowed: destinations(t, "s3://b"), Storage: b}))
	ctx, cancel := context.WithCancel(t.Context())
	go func() {
		<-started
		cancel()
	}()
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, server.URL+"/export", strings.NewReader(requestTo("s3://b/x")))
	if err != nil {
		t.Fatal(err)
	}
	response, err := server.Client().Do(request)
	if err == nil {
		response.Body.Close()
		t.Error("the request went well")
	}
	if err := <-ended; !errors.Is(err, context.Canceled) {
		t.Errorf("the export ended with %v", err)
	}
	server.Close()
	if b.open != 0 || len(b.objects) != 0 {
		t.Errorf("the bucket has %v, and %d open uploads", b.objects, b.open)
	}
}

// TestServer_Export_Stalled has a client that does not read.
func TestServer_Export_Stalled(t *testing.T) {
	ended := make(chan error, 1)
	exporter := exporterFunc(func(_ context.Context, _ simkubev1.ExportRequest, w io.Writer) (Summary, error) {
		for {
			if _, err := w.Write(make([]byte, 1<<20)); err != nil {
				ended <- err
				return Summary{}, err
			}
		}
	})
	server := httptest.NewServer(newServer(t, Options{Exporter: exporter, StallTimeout: 50 * time.Millisecond}))
	defer server.Close()
	response, err := post(t, server, requestTo("x"), "identity")
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	if err := <-ended; err == nil {
		t.Error("the export ended without an error")
	}
}

// TestServer_Export_TooMany checks that exports beyond the limit are rejected, and that others are
// accepted afterwards.
func TestServer_Export_TooMany(t *testing.T) {
	started, goOn := make(chan struct{}), make(chan struct{})
	exporter := exporterFunc(func(_ context.Context, _ simkubev1.ExportRequest, w io.Writer) (Summary, error) {
		started <- struct{}{}
		<-goOn
		return Summary{}, nil
	})
	s := newServer(t, Options{Exporter: exporter, MaxExports: 1})
	done := make(chan int)
	export := func() { done <- ask(s, http.MethodPost, "/export", requestTo("x")).Code }
	for range 2 {
		go export()
		<-started
		w := ask(s, http.MethodPost, "/export", requestTo("x"))
		if w.Code != http.StatusTooManyRequests || w.Header().Get("Retry-After") == "" {
			t.Errorf("status is %d, Retry-After %q, want 429 and a time", w.Code, w.Header().Get("Retry-After"))
		}
		errorOf(t, w)
		if got := ask(s, http.MethodGet, "/api/v1/status", "").Body.String(); !strings.Contains(got, `"exports":{"running":1,"max":1}`) {
			t.Errorf("status is %s, want one export", got)
		}
		goOn <- struct{}{}
		if code := <-done; code != http.StatusOK {
			t.Errorf("status is %d, want 200", code)
		}
	}
}

func post(t *testing.T, server *httptest.Server, body, encoding string) (*http.Response, error) {
	t.Helper()
	request, err := http.NewRequestWithContext(t.Context(), http.MethodPost, server.URL+"/export", strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	request.Header.Set("Accept-Encoding", encoding)
	return server.Client().Do(request)
}

func BenchmarkServer_Export(b *testing.B) {
	chunk, err := os.ReadFile("../../../examples/day.sktrace")
	if err != nil {
		b.Fatal(err)
	}
	const chunks = 10
	s, err := New(Options{
		Exporter: exporterFunc(func(_ context.Context, _ simkubev1.ExportRequest, w io.Writer) (Summary, error) {
			for range chunks {
				if _, err := w.Write(chunk); err != nil {
					return Summary{}, err
				}
			}
			return Summary{}, nil
		}),
		Status: func() simkubev1.TracerStatus { return simkubev1.TracerStatus{} },
		Logger: discard(),
	})
	if err != nil {
		b.Fatal(err)
	}
	server := httptest.NewServer(s)
	defer server.Close()
	for _, encoding := range []string{"identity", "gzip", "zstd"} {
		b.Run(encoding, func(b *testing.B) {
			b.SetBytes(int64(chunks * len(chunk)))
			b.ReportAllocs()
			for b.Loop() {
				request, err := http.NewRequestWithContext(b.Context(), http.MethodPost, server.URL+"/export", strings.NewReader(requestTo("x")))
				if err != nil {
					b.Fatal(err)
				}
				request.Header.Set("Accept-Encoding", encoding)
				response, err := server.Client().Do(request)
				if err != nil {
					b.Fatal(err)
				}
				if _, err := io.Copy(io.Discard, response.Body); err != nil {
					b.Fatal(err)
				}
				response.Body.Close()
			}
		})
	}
}
