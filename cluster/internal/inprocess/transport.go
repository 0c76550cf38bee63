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

// Transport hands requests to a handler. Until there is one, it answers like a port nobody listens on:
// with ECONNREFUSED, which clients take as a reason to try again. It is safe for concurrent use.
//
// The handler sees a request that came over HTTP/2 from this machine. A watch (a request with watch=true)
// is answered while its handler runs; everything else when the handler has returned, and on the caller's
// goroutine. A handler that panics is an error to the client.
type Transport struct {
	handler atomic.Pointer[http.Handler]
	mu      sync.Mutex // guards the start of a stream against Close
	streams sync.WaitGroup
}

var _ http.RoundTripper = (*Transport)(nil)

// Serve has requests answered by h from now on.
func (t *Transport) Serve(h http.Handler) { t.handler.Store(&h) }

// Refuse refuses requests from now on. Those that are being answered are not affected.
func (t *Transport) Refuse() {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.handler.Store(nil)
}

// Close refuses requests from now on, and waits for the handlers of watches to return, or for ctx. It doesn't end them: that is for
// the server to do, or for the clients.
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

// errRefused is what clients of a port that nobody listens on get.
var errRefused = fmt.Errorf("ask the API server: %w", syscall.ECONNREFUSED)

// remote is the address of all clients; nothing listens there.
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
	// The server puts values of its own into the context, and must not find the client's: a handler may be a client
	// itself. So it gets a new one, which ends with the client's.
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

// streams tells whether a request is a watch: one whose answer has to be read before it ends.
func streams(req *http.Request) bool {
	if !strings.Contains(req.URL.RawQuery, "watch=") {
		return false // most, and parsing a query takes longer
	}
	watch, err := strconv.ParseBool(req.URL.Query().Get("watch"))
	return err == nil && watch
}

// received is req as a server sees it.
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

// answer runs the handler to its end.
func answer(handler http.Handler, req, served *http.Request) (*http.Response, error) {
	w := &recorder{header: http.Header{}}
	if err := serve(handler, w, served); err != nil {
		return nil, err
	}
	// What the server says of a request that was given up is not for the client, as it would be gone.
	if err := req.Context().Err(); err != nil {
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

// errPanicked is what a client sees of a handler's panic.
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

// recorder keeps a whole answer.
type recorder struct {
	header, sent http.Header // as the handler sees it, and as it was when the status was written
	status       int
	body         bytes.Buffer
}

func (w *recorder) Header() http.Header { return w.header }

func (w *recorder) WriteHeader(status int) {
	// An informational status is not the answer.
	if w.sent != nil || status < http.StatusOK {
		return
	}
	w.status, w.sent = status, w.header.Clone()
}

func (w *recorder) Write(p []byte) (int, error) {
	w.WriteHeader(http.StatusOK)
	return w.body.Write(p)
}

// Flush implements http.Flusher; the answer goes out as a whole.
func (w *recorder) Flush() { w.WriteHeader(http.StatusOK) }

// CloseNotify implements http.CloseNotifier, which the API server expects of writers. The context says the same.
func (w *recorder) CloseNotify() <-chan bool { return nil }
