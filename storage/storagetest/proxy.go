package storagetest

import (
	"errors"
	"io"
	"net"
	"sync"
	"testing"
)

// Proxy passes connections on to a server, until it is told to break them. It is safe for concurrent use.
type Proxy struct {
	listener net.Listener
	server   string
	wg       sync.WaitGroup

	mu     sync.Mutex
	conns  map[net.Conn]struct{}
	budget map[direction]int64 // bytes that may still pass; a missing one does not count
	stay   bool                // down after the budget is used up
	down   bool
	cuts   int
	closed bool
}

type direction int

const (
	up   direction = iota // from the client to the server
	back                  // from the server to the client
)

// NewProxy starts a proxy before a server's address, which need not listen yet. It ends with the test.
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

// Address is where the proxy listens.
func (p *Proxy) Address() string { return p.listener.Addr().String() }

// CutUpload breaks all connections after n more bytes from clients. With stay, nobody is let through any more from then
// on, until Restore.
func (p *Proxy) CutUpload(n int64, stay bool) { p.cutAfter(up, n, stay) }

// CutDownload breaks all connections after n more bytes to clients, as CutUpload does.
func (p *Proxy) CutDownload(n int64, stay bool) { p.cutAfter(back, n, stay) }

func (p *Proxy) cutAfter(d direction, n int64, stay bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.budget[d], p.stay = n, stay
}

// Restore lets everything through again, and tells how often connections were broken since the last time.
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
		p.wg.Go(func() { p.pump(back, client, server) })
	}
}

// add keeps a connection, or breaks it where none may be.
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

// pass takes n bytes off the budget; when it is used up, it breaks everything.
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

// reset closes a connection as one that broke, not as one that came to its end.
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
