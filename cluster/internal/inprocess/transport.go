package inprocess

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"net/http"
	"runtime/debug"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
)

// Transport sends requests to a handler. Until there is one, it fails as a port does on which
// nothing listens: with ECONNREFUSED, after which clients retry. It is safe for concurrent use.
//
// The handler sees a request that came over HTTP/2 from this machine. The response to a watch (a
// request with watch=true) is read while its handler runs; every other handler runs on the caller's
// goroutine, and its response is returned when it has returned. If a handler panics, the client
// gets an error.
type Transport struct {
	handler atomic.Pointer[http.Handler]
	mu      sync.Mutex // guards the start of a stream against Close
	streams sync.WaitGroup
}

var _ http.RoundTripper = (*Transport)(nil)

// Serve has h answer requests from now on.
func (t *Transport) Serve(h http.Handler) { t.handler.Store(&h) }

// Refuse refuses requests from now on. It does not affect those that are being answered.
func (t *Transport) Refuse() {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.handler.Store(nil)
}

// Close refuses requests from now on, and waits until the handlers of watches have returned or ctx
// has ended. It doesn't end them: the server or the clients must.
func (t *Transport) Close(ctx context.Context) error {
	t.Refuse()
	returned := make(chan struct{})
	go func() {
		t.streams.Wait()
		close(returned)
	}()
	select {
	case <-returned:
		return nil
	case <-ctx.Done():
		return fmt.Errorf("wait for the handlers of watches: %w", context.Cause(ctx))
	}
}

// errRefused is the error of a request without a handler.
var errRefused = fmt.Errorf("ask the API server: %w", syscall.ECONNREFUSED)

// remote is the address of all clients. Nothing listens there.
const remote = "127.0.0.1:1"

// RoundTrip implements http.RoundTripper.
func (t *Transport) RoundTrip(req *http.Request) (*http.Response, error) {
	if req.Body != nil {
		defer req.Body.Close()
	}
	if err := req.Context().Err(); err != nil {
		return nil, err
	}
	handler := t.handler.Load()
	if handler == nil {
		return nil, errRefused
	}
	// The server adds values to the context and must not find those of the client: a handler may be a
	// client itself. So it gets a new one, which ends with the client's.
	ctx, cancel := context.WithCancel(context.Background())
	detach := context.AfterFunc(req.Context(), cancel)
	served := received(ctx, req)
	if streams(req) {
		return t.stream(*handler, req, served, func() { detach(); cancel() })
	}
	defer cancel()
	defer detach()
	return answer(*handler, req, served)
}

// streams reports whether a request is a watch, whose response must be read before it ends.
func streams(req *http.Request) bool {
	if !strings.Contains(req.URL.RawQuery, "watch=") {
		return false // most, and parsing a query takes longer
	}
	watch, err := strconv.ParseBool(req.URL.Query().Get("watch"))
	return err == nil && watch
}

// received returns req as a server sees it.
func received(ctx context.Context, req *http.Request) *http.Request {
	out := new(http.Request).WithContext(ctx)
	out.Method, out.URL, out.Host = req.Method, req.URL, req.Host
	if out.Method == "" {
		out.Method = http.MethodGet
	}
	if out.Host == "" {
		out.Host = req.URL.Host
	}
	out.Proto, out.ProtoMajor, out.ProtoMinor = "HTTP/2.0", 2, 0
	out.Header = maps.Clone(req.Header)
	if out.Header == nil {
		out.Header = http.Header{}
	}
	out.Body, out.ContentLength = req.Body, req.ContentLength
	if out.Body == nil {
		out.Body = http.NoBody
	}
	out.RemoteAddr, out.RequestURI = remote, req.URL.RequestURI()
	return out
}

// answer runs the handler and returns its response.
func answer(handler http.Handler, req, served *http.Request) (*http.Response, error) {
	w := &recorder{header: http.Header{}}
	err := serve(handler, w, served)
	// The client of a real server would be gone and not see the response to a request that it has
	// cancelled, nor how its handler has ended: the API server aborts such handlers.
	if err := req.Context().Err(); err != nil {
		return nil, err
	}
	if err != nil {
		return nil, err
	}
	w.WriteHeader(http.StatusOK)
	res := response(req, w.status, w.sent)
	res.Body, res.ContentLength = io.NopCloser(&w.body), int64(w.body.Len())
	if req.Method == http.MethodHead {
		res.Body = http.NoBody
	}
	return res, nil
}

// errPanicked is wrapped by the client's error when a handler has panicked.
var errPanicked = errors.New("the handler of the request panicked")

// serve runs a handler and turns a panic into an error.
func serve(handler http.Handler, w http.ResponseWriter, req *http.Request) (err error) {
	defer func() {
		switch r := recover(); r {
		case nil:
		case http.ErrAbortHandler:
			err = http.ErrAbortHandler
		default:
			err = fmt.Errorf("%w: %v\n%s", errPanicked, r, debug.Stack())
		}
	}()
	handler.ServeHTTP(w, req)
	return nil
}

func response(req *http.Request, status int, header http.Header) *http.Response {
	return &http.Response{
		Status:     strconv.Itoa(status) + " " + http.StatusText(status),
		StatusCode: status,
		Proto:      "HTTP/2.0",
		ProtoMajor: 2,
		Header:     header,
		Request:    req,
	}
}

// recorder keeps a whole response.
type recorder struct {
	header, sent http.Header // as the handler sees it, and as it was when the status was written
	status       int
	body         bytes.Buffer
}

func (w *recorder) Header() http.Header { return w.header }

func (w *recorder) WriteHeader(status int) {
	// An informational status is not that of the response.
	if w.sent != nil || status < http.StatusOK {
		return
	}
	w.status, w.sent = status, w.header.Clone()
}

func (w *recorder) Write(p []byte) (int, error) {
	w.WriteHeader(http.StatusOK)
	return w.body.Write(p)
}

// Flush implements http.Flusher. The response is returned as a whole.
func (w *recorder) Flush() { w.WriteHeader(http.StatusOK) }

// CloseNotify implements http.CloseNotifier, which the API server requires of writers. It uses the
// context instead.
func (w *recorder) CloseNotify() <-chan bool { return nil }
