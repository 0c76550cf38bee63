package storagetest

import (
	"errors"
	"io"
	"net"
	"sync"
	"testing"
)

// Proxy forwards connections to a server until it is told to break them. It is safe for concurrent
// use.
type Proxy struct {
	listener net.Listener
	server   string
	wg       sync.WaitGroup

	mu     sync.Mutex
	conns  map[net.Conn]struct{}
	budget map[direction]int64 // remaining bytes; without an entry, there is no limit
	stay   bool                // refuse connections when the budget is used up
	down   bool
	cuts   int
	closed bool
}

type direction int

const (
	up   direction = iota // from the client to the server
	down                  // from the server to the client
)

// NewProxy starts a proxy for a server's address, which need not listen yet. It stops when the test
// ends.
func NewProxy(t testing.TB, server string) *Proxy {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	p := &Proxy{listener: listener, server: server, conns: map[net.Conn]struct{}{}, budget: map[direction]int64{}}
	p.wg.Go(p.serve)
	t.Cleanup(p.stop)
	return p
}

// Address returns the address of the proxy.
func (p *Proxy) Address() string { return p.listener.Addr().String() }

// CutUpload breaks all connections after n more bytes from clients. If stay is true, it then
// refuses connections until Restore.
func (p *Proxy) CutUpload(n int64, stay bool) { p.cutAfter(up, n, stay) }

// CutDownload breaks all connections after n more bytes to clients. stay is as in CutUpload.
func (p *Proxy) CutDownload(n int64, stay bool) { p.cutAfter(down, n, stay) }

func (p *Proxy) cutAfter(d direction, n int64, stay bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.budget[d], p.stay = n, stay
}

// Restore forwards everything again, and returns how often connections were broken since the last
// call.
func (p *Proxy) Restore() (cuts int) {
	p.mu.Lock()
	defer p.mu.Unlock()
	cuts, p.cuts = p.cuts, 0
	p.down, p.stay = false, false
	clear(p.budget)
	return cuts
}

func (p *Proxy) serve() {
	for {
		client, err := p.listener.Accept()
		if err != nil {
			return
		}
		if !p.add(client) {
			continue
		}
		server, err := net.Dial("tcp", p.server)
		if err != nil {
			p.drop(client)
			continue
		}
		if !p.add(server) {
			p.drop(client)
			continue
		}
		p.wg.Go(func() { p.pump(up, server, client) })
		p.wg.Go(func() { p.pump(down, client, server) })
	}
}

// add registers a connection, or breaks it if connections are refused.
func (p *Proxy) add(c net.Conn) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.down || p.closed {
		reset(c)
		return false
	}
	p.conns[c] = struct{}{}
	return true
}

func (p *Proxy) drop(c net.Conn) {
	p.mu.Lock()
	defer p.mu.Unlock()
	delete(p.conns, c)
	c.Close()
}

func (p *Proxy) pump(d direction, to, from net.Conn) {
	defer p.drop(from)
	defer p.drop(to)
	buffer := make([]byte, 16<<10)
	for {
		n, err := from.Read(buffer)
		if n > 0 && !p.pass(d, int64(n)) {
			return
		}
		if n > 0 {
			if _, err := to.Write(buffer[:n]); err != nil {
				return
			}
		}
		if err != nil {
			if errors.Is(err, io.EOF) {
				_ = to.(*net.TCPConn).CloseWrite()
			}
			return
		}
	}
}

// pass subtracts n bytes from the budget. It breaks all connections when the budget is used up.
func (p *Proxy) pass(d direction, n int64) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	left, limited := p.budget[d]
	if !limited {
		return true
	}
	if left >= n {
		p.budget[d] = left - n
		return true
	}
	delete(p.budget, d)
	p.down = p.stay
	p.cuts++
	for c := range p.conns {
		reset(c)
	}
	return false
}

// reset closes a connection with a reset, unlike a connection that ended normally.
func reset(c net.Conn) {
	_ = c.(*net.TCPConn).SetLinger(0)
	c.Close()
}

func (p *Proxy) stop() {
	p.mu.Lock()
	p.closed = true
	for c := range p.conns {
		c.Close()
	}
	p.mu.Unlock()
	p.listener.Close()
	p.wg.Wait()
}
