package storage

import (
	"context"
	"net"
	"net/http"
	"os"
	"time"
)

const (
	defaultPartSize = 8 << 20
	uploadsAtOnce   = 2 // parts of one object that are under way at the same time
	attempts        = 5 // how often a request is tried that fails for the network or the provider
	firstPause      = 400 * time.Millisecond
	longestPause    = 5 * time.Second
)

// Options are a client's settings. The zero value is right for a program that is run by a person or in a cluster.
type Options struct {
	// Getenv looks up the environment; os.Getenv when nil. A cloud's default chain of credentials, which is asked when
	// no variable names any, reads the process's environment by itself.
	Getenv func(string) string
	// Transport carries all requests for objects; when nil, one like http.DefaultTransport that does not wait for ever
	// for an answer.
	Transport http.RoundTripper
	// PartSize is how many bytes an upload gathers before it sends them, 8 MiB when 0; S3 takes no less than 5 MiB.
	// Three parts are held in memory at most. S3 takes 10,000 parts: 80 GB with 8 MiB.
	PartSize int
}

// Client reads and writes objects. It is safe for concurrent use.
type Client struct {
	options Options
	close   func()
}

// New makes a client. It asks nobody yet: credentials are looked up when an object is read or written.
func New(options Options) *Client {
	c := &Client{options: options, close: func() {}}
	if c.options.Getenv == nil {
		c.options.Getenv = os.Getenv
	}
	if c.options.PartSize == 0 {
		c.options.PartSize = defaultPartSize
	}
	if c.options.Transport == nil {
		transport := newTransport()
		c.options.Transport, c.close = transport, transport.CloseIdleConnections
	}
	return c
}

// newTransport gives what http.DefaultTransport is, but for a limit to how long a server may be silent.
func newTransport() *http.Transport {
	return &http.Transport{
		Proxy:                 http.ProxyFromEnvironment,
		DialContext:           (&net.Dialer{Timeout: 30 * time.Second, KeepAlive: 15 * time.Second}).DialContext,
		ForceAttemptHTTP2:     true,
		MaxIdleConnsPerHost:   8,
		IdleConnTimeout:       90 * time.Second,
		TLSHandshakeTimeout:   15 * time.Second,
		ResponseHeaderTimeout: 2 * time.Minute,
	}
}

// Close gives up idle connections. Nothing may be open or being written any more.
func (c *Client) Close() { c.close() }

// Open opens the object at a location, to be read from its beginning to its end. Cancelling ctx ends reading too. What
// fails, later reads included, fails with an [*Error].
func (c *Client) Open(ctx context.Context, location Location) (*Reader, error) {
	const op = "read"
	b, err := c.backend(ctx, op, location)
	if err != nil {
		return nil, explain(ctx, op, location, b, err)
	}
	body, size, err := b.open(ctx, location.Key)
	if err != nil {
		err = explain(ctx, op, location, b, err)
		b.close()
		return nil, err
	}
	return &Reader{body: body, size: size, ctx: ctx, location: location, backend: b}, nil
}

// Create begins an object at a location, in the place of one that may be there; that one stays until [Writer.Commit].
// The writer must be committed or aborted. Cancelling ctx aborts. A bucket need not be asked before the first part is
// full or the object is committed: see [Client.Check].
func (c *Client) Create(ctx context.Context, location Location) (*Writer, error) {
	const op = "write"
	b, err := c.backend(ctx, op, location)
	if err != nil {
		return nil, explain(ctx, op, location, b, err)
	}
	return newWriter(ctx, op, location, b), nil
}

// Check tells whether an object could be written at a location, without writing one: whether bucket, container or
// folder exist and the credentials permit it. It costs one or two small requests. It fails with an [*Error].
func (c *Client) Check(ctx context.Context, location Location) error {
	const op = "check"
	b, err := c.backend(ctx, op, location)
	if err != nil {
		return explain(ctx, op, location, b, err)
	}
	defer b.close()
	return explain(ctx, op, location, b, b.check(ctx, location.Key))
}
