package tracertest

import (
	"errors"
	"io"
	"net"
	"net/url"
	"path/filepath"
	"sync"
	"testing"

	"k8s.io/client-go/tools/clientcmd"
)

// passage is what a proxy does with connections.
type passage int

const (
	// through passes everything on.
	through passage = iota
	// refused closes existing and new connections.
	refused
	// stalled keeps connections and passes nothing on, like a network that drops all packets. What was
	// sent arrives when it passes data on again.
	stalled
)

// proxy is a TCP proxy between a tracer and the API server.
type proxy struct {
	listener net.Listener
	target   string
	group    sync.WaitGroup

	mu      sync.Mutex // guards the following
	changed *sync.Cond
	mode    passage
	closed  bool
	open    map[net.Conn]bool
}

// newProxy starts a proxy for the control plane. It stops at the end of the test.
func newProxy(t *testing.T, mode passage) *proxy {
	t.Helper()
	target, err := url.Parse(env.plane.RESTConfig().Host)
	if err != nil {
		t.Fatal(err)
	}
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	p := &proxy{listener: listener, target: target.Host, mode: mode, open: map[net.Conn]bool{}}
	p.changed = sync.NewCond(&p.mu)
	p.group.Go(p.accept)
	t.Cleanup(func() {
		listener.Close()
		p.mu.Lock()
		p.closed = true
		p.end()
		p.changed.Broadcast()
		p.mu.Unlock()
		p.group.Wait()
	})
	return p
}

// kubeconfig writes a kubeconfig that uses the proxy, and returns its path.
func (p *proxy) kubeconfig(t *testing.T) string {
	t.Helper()
	config, err := clientcmd.LoadFromFile(env.plane.Kubeconfig())
	if err != nil {
		t.Fatal(err)
	}
	for _, cluster := range config.Clusters {
		cluster.Server = "https://" + p.listener.Addr().String()
	}
	path := filepath.Join(t.TempDir(), "kubeconfig")
	if err := clientcmd.WriteToFile(*config, path); err != nil {
		t.Fatal(err)
	}
	return path
}

func (p *proxy) set(mode passage) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.mode = mode
	if mode == refused {
		p.end()
	}
	p.changed.Broadcast()
}

// end closes the connections. It must be called with mu held.
func (p *proxy) end() {
	for conn := range p.open {
		conn.Close()
	}
}

func (p *proxy) accept() {
	for {
		here, err := p.listener.Accept()
		if err != nil {
			return
		}
		p.group.Go(func() { p.serve(here) })
	}
}

func (p *proxy) serve(here net.Conn) {
	defer here.Close()
	if !p.pass(here) {
		return
	}
	there, err := net.Dial("tcp", p.target)
	if err != nil {
		return
	}
	defer there.Close()
	if !p.pass(there) {
		return
	}
	var both sync.WaitGroup
	both.Go(func() { p.copy(there, here) })
	both.Go(func() { p.copy(here, there) })
	both.Wait()
	p.mu.Lock()
	defer p.mu.Unlock()
	delete(p.open, here)
	delete(p.open, there)
}

// pass waits until data may be passed on, and reports whether the connection is still open then.
func (p *proxy) pass(conn net.Conn) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	for p.mode == stalled && !p.closed {
		p.changed.Wait()
	}
	if p.closed || p.mode == refused {
		return false
	}
	p.open[conn] = true
	return true
}

// copy passes on data from one connection to another, until either ends.
func (p *proxy) copy(to, from net.Conn) {
	defer to.Close()
	defer from.Close()
	buf := make([]byte, 32<<10)
	for {
		n, err := from.Read(buf)
		if n > 0 {
			if !p.pass(from) {
				return
			}
			if _, err := to.Write(buf[:n]); err != nil {
				return
			}
		}
		if err != nil {
			if !errors.Is(err, io.EOF) {
				return
			}
			p.pass(from)
			return
		}
	}
}
