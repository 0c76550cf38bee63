package watch

import (
	"context"
	"net"
	"sync"
	"sync/atomic"
	"time"

	"k8s.io/utils/clock"
)

// links are the connections of a Client, with the time of their last data. It is safe for
// concurrent use.
type links struct {
	clock clock.PassiveClock
	dial  func(ctx context.Context, network, address string) (net.Conn, error)

	mu   sync.Mutex // guards open
	open map[string]*link
}

// link is a connection.
type link struct {
	net.Conn
	links *links
	// inside is whether there is no connection, because the API server is in this process.
	inside bool
	last   atomic.Int64 // unix nanoseconds
}

// linkName returns a key of a connection that consists of both addresses, since the connection may
// be wrapped.
func linkName(c net.Conn) string { return c.LocalAddr().String() + " " + c.RemoteAddr().String() }

// connect implements rest.Config.Dial.
func (l *links) connect(ctx context.Context, network, address string) (net.Conn, error) {
	conn, err := l.dial(ctx, network, address)
	if err != nil {
		return nil, err
	}
	made := &link{Conn: conn, links: l}
	made.last.Store(l.clock.Now().UnixNano())
	l.mu.Lock()
	defer l.mu.Unlock()
	l.open[linkName(conn)] = made
	return made, nil
}

// of returns the link of a connection that is a link or wraps one; nil if it is not known.
func (l *links) of(conn net.Conn) *link {
	if conn == nil {
		return &link{links: l, inside: true}
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.open[linkName(conn)]
}

// Read implements net.Conn.
func (l *link) Read(p []byte) (int, error) {
	n, err := l.Conn.Read(p)
	if n > 0 {
		l.last.Store(l.links.clock.Now().UnixNano())
	}
	return n, err
}

// Close implements net.Conn.
func (l *link) Close() error {
	l.links.mu.Lock()
	if name := linkName(l); l.links.open[name] == l {
		delete(l.links.open, name)
	}
	l.links.mu.Unlock()
	return l.Conn.Close()
}

// heard returns when data last arrived.
func (l *link) heard() time.Time {
	if l.inside {
		return l.links.clock.Now()
	}
	return time.Unix(0, l.last.Load())
}
