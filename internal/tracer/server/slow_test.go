package server

import (
	"bufio"
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"os"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	simkubev1 "simkube.io/simkube/api/v1"
)

// TestServer_Run_Slow checks that a connection is closed if a request is not sent in time, with or
// without authentication.
func TestServer_Run_Slow(t *testing.T) {
	const header = " HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer good\r\n"
	refuses := authorizerFunc(func(string, string, string) (Decision, error) { return Decision{}, nil })
	for name, tc := range map[string]struct {
		authorizer Authorizer
		text       string
	}{
		"nothing":             {nil, ""},
		"half a header":       {nil, "GET /healthz HTTP/1.1\r\nHost: "},
		"half an export":      {nil, "POST /export" + header + "Content-Length: 1000\r\n\r\n{"},
		"a refused export":    {refuses, "POST /export" + header + "Content-Length: 1000\r\n\r\n{"},
		"a body nobody wants": {refuses, "GET /healthz" + header + "Content-Length: 1000\r\n\r\n{"},
		"a body in pieces":    {refuses, "POST /nowhere" + header + "Transfer-Encoding: chunked\r\n\r\n1000\r\n{"},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				conn, stop := serveInMemory(t, Options{Authorizer: tc.authorizer})
				defer stop()
				go func() { _, _ = io.WriteString(conn, tc.text) }()
				const most = bodyTimeout + idleTimeout
				if err := conn.SetReadDeadline(time.Now().Add(most)); err != nil {
					t.Fatal(err)
				}
				if _, err := io.Copy(io.Discard, conn); errors.Is(err, os.ErrDeadlineExceeded) {
					t.Errorf("the connection is still open after %s", most)
				}
			})
		})
	}
}

// TestServer_Run_LongExport checks that an export may take longer than the time limit of requests.
func TestServer_Run_LongExport(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		conn, stop := serveInMemory(t, Options{Exporter: exporterFunc(func(ctx context.Context, _ simkubev1.ExportRequest, w io.Writer) (Summary, error) {
			select {
			case <-ctx.Done():
				return Summary{}, ctx.Err()
			case <-time.After(time.Hour):
			}
			_, err := io.WriteString(w, "a trace")
			return Summary{}, err
		})})
		defer stop()
		request, err := http.NewRequestWithContext(t.Context(), http.MethodPost, "http://localhost/export", strings.NewReader(requestTo("x")))
		if err != nil {
			t.Fatal(err)
		}
		if err := request.Write(conn); err != nil {
			t.Fatal(err)
		}
		response, err := http.ReadResponse(bufio.NewReader(conn), request)
		if err != nil {
			t.Fatal(err)
		}
		defer response.Body.Close()
		if data, err := io.ReadAll(response.Body); err != nil || string(data) != "a trace" {
			t.Errorf("got %d %q, %v, want the trace", response.StatusCode, data, err)
		}
	})
}

// serveInMemory runs a server, and returns a connection to it.
func serveInMemory(t *testing.T, opts Options) (conn net.Conn, stop func()) {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	listener := &pipeListener{conns: make(chan net.Conn), closed: make(chan struct{})}
	ran := make(chan error, 1)
	go func() { ran <- newServer(t, opts).Run(ctx, listener) }()
	conn, err := listener.dial(ctx, "", "")
	if err != nil {
		t.Fatal(err)
	}
	return conn, func() {
		conn.Close()
		cancel()
		if err := <-ran; err != nil {
			t.Errorf("Run returns %v", err)
		}
	}
}
