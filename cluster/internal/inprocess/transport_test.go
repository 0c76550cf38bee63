package inprocess

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"syscall"
	"testing"
	"testing/synctest"
)

func transportTo(h http.HandlerFunc) *Transport {
	t := &Transport{}
	t.Serve(h)
	return t
}

func request(ctx context.Context, tb testing.TB, method, url, body string) *http.Request {
	tb.Helper()
	var r io.Reader
	if body != "" {
		r = strings.NewReader(body)
	}
	req, err := http.NewRequestWithContext(ctx, method, url, r)
	if err != nil {
		tb.Fatal(err)
	}
	return req
}

// TestTransport_LikeANetwork compares responses with those of a real HTTP/2 server with the same
// handler.
func TestTransport_LikeANetwork(t *testing.T) {
	handlers := map[string]http.HandlerFunc{
		"silent": func(http.ResponseWriter, *http.Request) {},
		"echo": func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("Content-Type", "text/plain")
			fmt.Fprintln(w, r.Method, r.URL.Path, r.URL.RawQuery, r.RequestURI, r.Proto, r.Header.Get("X-Test"), r.Header.Values("X-Two"))
			_, _ = io.Copy(w, r.Body)
		},
		"status": func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Type", "text/plain")
			w.WriteHeader(http.StatusConflict)
			w.Header().Set("Too-Late", "yes")
			w.WriteHeader(http.StatusOK)
			fmt.Fprint(w, "no")
		},
		"early": func(w http.ResponseWriter, _ *http.Request) {
			w.WriteHeader(http.StatusEarlyHints)
			w.Header().Set("Content-Type", "text/plain")
			w.WriteHeader(http.StatusTeapot)
		},
		"flushed": func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Type", "text/plain")
			for i := range 3 {
				fmt.Fprint(w, i)
				w.(http.Flusher).Flush()
			}
		},
		"abort": func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) },
	}
	for name, handler := range handlers {
		for _, query := range []string{"", "?a=b", "?watch=true&x=1", "?watch=0"} {
			t.Run(name+query, func(t *testing.T) {
				server := httptest.NewUnstartedServer(handler)
				server.EnableHTTP2 = true
				server.Config.ErrorLog = nil
				server.StartTLS()
				defer server.Close()
				ask := func(rt http.RoundTripper) string {
					req := request(t.Context(), t, http.MethodPost, server.URL+"/some/path"+query, "a body")
					req.Header.Set("X-Test", "one")
					req.Header["X-Two"] = []string{"1", "2"}
					res, err := rt.RoundTrip(req)
					if err != nil {
						return "an error"
					}
					defer res.Body.Close()
					body, err := io.ReadAll(res.Body)
					return fmt.Sprint(res.StatusCode, res.Status, res.Proto, res.Header.Get("Content-Type"), res.Header.Get("Too-Late"), string(body), err)
				}
				if got, want := ask(transportTo(handler)), ask(server.Client().Transport); got != want {
					t.Errorf("got  %s\nwant %s", got, want)
				}
			})
		}
	}
}

// refused returns the error of a request that is not answered.
func refused(tb testing.TB, rt http.RoundTripper, url string) error {
	tb.Helper()
	res, err := rt.RoundTrip(request(tb.Context(), tb, http.MethodGet, url, ""))
	if err == nil {
		res.Body.Close()
	}
	return err
}

func TestTransport_NobodyServes(t *testing.T) {
	transport := &Transport{}
	if err := refused(t, transport, "https://api/"); !errors.Is(err, syscall.ECONNREFUSED) {
		t.Errorf("before Serve: got %v, want a refused connection", err)
	}
	transport.Serve(http.NotFoundHandler())
	if err := transport.Close(t.Context()); err != nil {
		t.Error(err)
	}
	if err := refused(t, transport, "https://api/"); !errors.Is(err, syscall.ECONNREFUSED) {
		t.Errorf("after Close: got %v, want a refused connection", err)
	}
}

func TestTransport_KeepsClientsApart(t *testing.T) {
	type key struct{}
	transport := transportTo(func(w http.ResponseWriter, r *http.Request) {
		if v := r.Context().Value(key{}); v != nil {
			t.Errorf("the handler sees the client's %v", v)
		}
		r.Header.Del("Authorization")
	})
	req := request(context.WithValue(t.Context(), key{}, "secret"), t, http.MethodGet, "https://api/", "")
	req.Header.Set("Authorization", "Bearer x")
	res, err := transport.RoundTrip(req)
	if err != nil {
		t.Fatal(err)
	}
	res.Body.Close()
	if req.Header.Get("Authorization") == "" {
		t.Error("the handler changed the client's header")
	}
}

func TestTransport_Panic(t *testing.T) {
	transport := transportTo(func(http.ResponseWriter, *http.Request) { panic("oh") })
	for _, url := range []string{"https://api/", "https://api/?watch=1"} {
		if err := refused(t, transport, url); !errors.Is(err, errPanicked) {
			t.Errorf("%s: got %v, want %v", url, err, errPanicked)
		}
	}
}

// TestTransport_GivenUp cancels a request while the handler works: the client gets its own error,
// and not the handler's response or its end.
func TestTransport_GivenUp(t *testing.T) {
	for _, end := range []func(http.ResponseWriter){
		func(w http.ResponseWriter) { w.WriteHeader(http.StatusGatewayTimeout) },
		func(http.ResponseWriter) { panic(http.ErrAbortHandler) },
	} {
		for _, url := range []string{"https://api/", "https://api/?watch=1"} {
			ctx, cancel := context.WithCancel(t.Context())
			transport := transportTo(func(w http.ResponseWriter, r *http.Request) {
				cancel()
				<-r.Context().Done()
				end(w)
			})
			res, err := transport.RoundTrip(request(ctx, t, http.MethodGet, url, ""))
			if err == nil {
				res.Body.Close()
			}
			if !errors.Is(err, context.Canceled) {
				t.Errorf("%s: got %v, want %v", url, err, context.Canceled)
			}
		}
	}
}

// TestStream_WhileItIsWritten reads what was flushed before the handler returns.
func TestStream_WhileItIsWritten(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		next := make(chan string)
		transport := transportTo(func(w http.ResponseWriter, _ *http.Request) {
			for text := range next {
				fmt.Fprint(w, text)
				if strings.HasSuffix(text, "!") {
					w.(http.Flusher).Flush()
				}
			}
		})
		var res *http.Response
		go func() {
			var err error
			res, err = transport.RoundTrip(request(t.Context(), t, http.MethodGet, "https://api/?watch=true", "")) //nolint:bodyclose // it is, below
			if err != nil {
				t.Error(err)
			}
		}()
		next <- "one"
		synctest.Wait()
		if res == nil {
			t.Fatal("no answer although the handler has written")
		}
		var got bytes.Buffer
		over := make(chan error)
		go func() {
			_, err := io.Copy(&got, res.Body)
			over <- err
		}()
		synctest.Wait()
		if got.Len() != 0 {
			t.Errorf("got %q before it was flushed", got.String())
		}
		next <- " two!"
		synctest.Wait()
		if got.String() != "one two!" {
			t.Errorf("got %q once flushed", got.String())
		}
		next <- " end"
		close(next)
		if err := <-over; err != nil || got.String() != "one two! end" {
			t.Errorf("at the end: got %q, %v", got.String(), err)
		}
		if err := transport.Close(t.Context()); err != nil {
			t.Error(err)
		}
	})
}

// TestStream_Ends ends a watch from either side: the handler's context is cancelled, and the reader
// gets an error.
func TestStream_Ends(t *testing.T) {
	for _, test := range []struct {
		name string
		end  func(cancel func(), body io.Closer)
		want error
	}{
		{"context", func(cancel func(), _ io.Closer) { cancel() }, context.Canceled},
		{"close", func(_ func(), body io.Closer) { _ = body.Close() }, http.ErrBodyReadAfterClose},
	} {
		t.Run(test.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				transport := transportTo(func(w http.ResponseWriter, r *http.Request) {
					w.(http.Flusher).Flush()
					<-r.Context().Done()
				})
				ctx, cancel := context.WithCancel(t.Context())
				defer cancel()
				res, err := transport.RoundTrip(request(ctx, t, http.MethodGet, "https://api/?watch=true", "")) //nolint:bodyclose // it is
				if err != nil {
					t.Fatal(err)
				}
				defer res.Body.Close()
				read := make(chan error)
				go func() {
					_, err := res.Body.Read(make([]byte, 1))
					read <- err
				}()
				synctest.Wait()
				test.end(cancel, res.Body)
				if err := <-read; !errors.Is(err, test.want) {
					t.Errorf("got %v, want %v", err, test.want)
				}
				// The handler has returned, or this never does.
				if err := transport.Close(t.Context()); err != nil {
					t.Error(err)
				}
			})
		})
	}
}

// TestStream_Window checks that a writer waits for a reader that is a window behind.
func TestStream_Window(t *testing.T) {
	for _, test := range []struct {
		name string
		free func(res *http.Response, cancel func())
		want error
	}{
		{"read", func(res *http.Response, _ func()) { _, _ = io.CopyN(io.Discard, res.Body, 1) }, nil},
		{"closed", func(res *http.Response, _ func()) { res.Body.Close() }, io.ErrClosedPipe},
		{"cancelled", func(_ *http.Response, cancel func()) { cancel() }, context.Canceled},
	} {
		t.Run(test.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				var wrote int
				var last error
				transport := transportTo(func(w http.ResponseWriter, r *http.Request) {
					for range 2 {
						n, err := w.Write(make([]byte, window))
						wrote, last = wrote+n, err
					}
					<-r.Context().Done()
				})
				ctx, cancel := context.WithCancel(t.Context())
				defer cancel()
				res, err := transport.RoundTrip(request(ctx, t, http.MethodGet, "https://api/?watch=true", ""))
				if err != nil {
					t.Fatal(err)
				}
				defer res.Body.Close()
				synctest.Wait()
				if wrote != window {
					t.Errorf("wrote %d bytes without a reader, want %d", wrote, window)
				}
				test.free(res, cancel)
				synctest.Wait()
				if !errors.Is(last, test.want) || (test.want == nil) != (wrote == 2*window) {
					t.Errorf("then: wrote %d, %v, want %v", wrote, last, test.want)
				}
				cancel()
				res.Body.Close()
				if err := transport.Close(t.Context()); err != nil {
					t.Error(err)
				}
			})
		})
	}
}
