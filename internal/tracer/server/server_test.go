package server

import (
	"context"
	"crypto/tls"
	"errors"
	"io"
	"net"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	simkubev1 "simkube.io/simkube/api/v1"
	"simkube.io/simkube/internal/serving"
	"simkube.io/simkube/internal/serving/servingtest"
)

// addressed is a listener that claims another address.
type addressed struct {
	net.Listener
	addr net.Addr
}

func (a addressed) Addr() net.Addr { return a.addr }

func listen(t *testing.T) net.Listener {
	t.Helper()
	l, err := new(net.ListenConfig).Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	return l
}

func TestServer_Run_OpenToStrangers(t *testing.T) {
	authorizer := authorizerFunc(func(string, string, string) (Decision, error) { return Decision{}, nil })
	for name, tc := range map[string]struct {
		opts    Options
		ip      net.IP
		refused bool
	}{
		"loopback":         {Options{}, net.IPv4(127, 0, 0, 1), false},
		"another loopback": {Options{}, net.IPv6loopback, false},
		"everywhere":       {Options{}, net.IPv4zero, true},
		"everywhere, IPv6": {Options{}, net.IPv6unspecified, true},
		"one address":      {Options{}, net.IPv4(10, 0, 0, 1), true},
		"with tokens":      {Options{Authorizer: authorizer}, net.IPv4zero, false},
		"because told to":  {Options{Insecure: true}, net.IPv4zero, false},
	} {
		t.Run(name, func(t *testing.T) {
			ctx, cancel := context.WithCancel(t.Context())
			cancel()
			err := newServer(t, tc.opts).Run(ctx, addressed{listen(t), &net.TCPAddr{IP: tc.ip, Port: 7777}})
			var config *ConfigError
			if errors.As(err, &config) != tc.refused || err != nil && !tc.refused {
				t.Fatalf("error is %v, want a ConfigError: %t", err, tc.refused)
			}
			if tc.refused && !strings.Contains(config.Hint(), "--insecure") {
				t.Errorf("hint is %q", config.Hint())
			}
		})
	}
}

// TestServer_Run_Stops checks that a running export continues when the server is stopped.
func TestServer_Run_Stops(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	exporter := exporterFunc(func(_ context.Context, _ simkubev1.ExportRequest, w io.Writer) (Summary, error) {
		cancel()
		_, err := io.WriteString(w, "a trace")
		return Summary{}, err
	})
	listener := listen(t)
	ran := make(chan error, 1)
	go func() { ran <- newServer(t, Options{Exporter: exporter}).Run(ctx, listener) }()
	client := &http.Client{Transport: &http.Transport{}}
	defer client.CloseIdleConnections()
	if got := fetch(t, client, "http://"+listener.Addr().String()); got != "a trace" {
		t.Errorf("got %q, want the trace", got)
	}
	if err := <-ran; err != nil {
		t.Errorf("Run returns %v", err)
	}
}

// TestServer_Run_GivesUp checks that an export that takes too long after that is canceled, and that
// Run waits for it.
func TestServer_Run_GivesUp(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithCancel(t.Context())
		var isCancelled atomic.Bool
		goOn := make(chan struct{})
		exporter := exporterFunc(func(ctx context.Context, _ simkubev1.ExportRequest, _ io.Writer) (Summary, error) {
			<-ctx.Done()
			isCancelled.Store(true)
			<-goOn
			return Summary{}, ctx.Err()
		})
		listener := &pipeListener{conns: make(chan net.Conn), closed: make(chan struct{})}
		ran := make(chan error, 1)
		go func() { ran <- newServer(t, Options{Exporter: exporter}).Run(ctx, listener) }()
		asked := make(chan error, 1)
		go func() {
			client := &http.Client{Transport: &http.Transport{DialContext: listener.dial}}
			defer client.CloseIdleConnections()
			request, err := http.NewRequestWithContext(t.Context(), http.MethodPost, "http://localhost/export", strings.NewReader(requestTo("x")))
			if err != nil {
				asked <- err
				return
			}
			response, err := client.Do(request)
			if err == nil {
				err = response.Body.Close()
			}
			asked <- err
		}()
		synctest.Wait()
		cancel()
		time.Sleep(defaultShutdownTimeout - time.Nanosecond)
		synctest.Wait()
		if isCancelled.Load() {
			t.Error("the export was ended too early")
		}
		time.Sleep(2 * time.Nanosecond)
		synctest.Wait()
		if !isCancelled.Load() {
			t.Error("the export was not ended")
		}
		select {
		case err := <-ran:
			t.Fatalf("Run returns %v while the export goes on", err)
		default:
		}
		close(goOn)
		if err := <-ran; err != nil {
			t.Errorf("Run returns %v", err)
		}
		if err := <-asked; err == nil {
			t.Error("the client has got an answer over a closed connection")
		}
	})
}

// pipeListener is a listener in memory.
type pipeListener struct {
	conns  chan net.Conn
	closed chan struct{}
	once   sync.Once
}

func (l *pipeListener) Accept() (net.Conn, error) {
	select {
	case conn := <-l.conns:
		return conn, nil
	case <-l.closed:
		return nil, net.ErrClosed
	}
}

func (l *pipeListener) Close() error {
	l.once.Do(func() { close(l.closed) })
	return nil
}

func (l *pipeListener) Addr() net.Addr { return &net.TCPAddr{IP: net.IPv4(127, 0, 0, 1)} }

func (l *pipeListener) dial(context.Context, string, string) (net.Conn, error) {
	client, server := net.Pipe()
	l.conns <- server
	return client, nil
}

func TestServer_Run_ListenerFails(t *testing.T) {
	listener := listen(t)
	listener.Close()
	if err := newServer(t, Options{}).Run(t.Context(), listener); !errors.Is(err, net.ErrClosed) {
		t.Errorf("Run returns %v", err)
	}
}

func TestServer_Run_TLS(t *testing.T) {
	files := servingtest.NewCertificate(t, t.TempDir(), "one")
	config, err := serving.CertificateFiles(files.Cert, files.Key, discard())
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	listener := listen(t)
	ran := make(chan error, 1)
	go func() { ran <- newServer(t, Options{TLS: config}).Run(ctx, listener) }()
	client := &http.Client{Transport: &http.Transport{TLSClientConfig: &tls.Config{RootCAs: files.Pool(t)}}}
	defer client.CloseIdleConnections()
	if got := fetch(t, client, "https://"+listener.Addr().String()); got != "a trace" {
		t.Errorf("got %q, want the trace", got)
	}
	old := &tls.Config{RootCAs: files.Pool(t), MaxVersion: tls.VersionTLS11, MinVersion: tls.VersionTLS10}
	if conn, err := (&tls.Dialer{Config: old}).DialContext(ctx, "tcp", listener.Addr().String()); err == nil {
		conn.Close()
		t.Error("TLS 1.1 is accepted")
	}
	cancel()
	if err := <-ran; err != nil {
		t.Errorf("Run returns %v", err)
	}
}

func TestNew_Wrong(t *testing.T) {
	if _, err := New(Options{}); err == nil {
		t.Error("New accepts nothing at all")
	}
	_, err := New(Options{
		Exporter: exports(""), Status: func() simkubev1.TracerStatus { return simkubev1.TracerStatus{} }, Logger: discard(), MaxExports: -1,
	})
	var config *ConfigError
	if !errors.As(err, &config) || err.Error() != "--max-exports -1: must be at least 1" {
		t.Errorf("error is %v", err)
	}
}

func fetch(t *testing.T, client *http.Client, url string) string {
	t.Helper()
	request, err := http.NewRequestWithContext(t.Context(), http.MethodPost, url+"/export", strings.NewReader(requestTo("x")))
	if err != nil {
		t.Fatal(err)
	}
	response, err := client.Do(request)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	data, err := io.ReadAll(response.Body)
	if err != nil {
		t.Fatal(err)
	}
	return string(data)
}
