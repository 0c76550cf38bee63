package storage

import (
	"context"
	"net"
	"net/http"
	"os"
	"time"
)

const (
	defaultPartSize    = 8 << 20
	maxConcurrentParts = 2 // number of parts of an object that are uploaded concurrently
	// maximum number of attempts of a request that fails because of the network or the provider
	maxAttempts  = 5
	initialDelay = 400 * time.Millisecond
	maxDelay     = 5 * time.Second
)

// Options are a client's settings. The zero value is suitable for a program that is run by a user
// or in a cluster.
type Options struct {
	// Getenv looks up environment variables. Default: os.Getenv. The default credential chain of a
	// cloud, which is used if no variable sets credentials, reads the environment of the process
	// directly.
	Getenv func(string) string
	// Transport sends all requests for objects. Default: like http.DefaultTransport, with a timeout
	// for responses.
	Transport http.RoundTripper
	// PartSize is the number of bytes of a part of an upload. Default: 8 MiB. The minimum of S3 is 5
	// MiB. At most three parts are held in memory. S3 allows 10,000 parts: 80 GB with 8 MiB.
	PartSize int
}

// Client reads and writes objects. It is safe for concurrent use.
type Client struct {
	options Options
	close   func()
}

// New returns a client. It sends no requests: credentials are looked up when an object is read or
// written.
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

// newTransport returns a transport like http.DefaultTransport, with a timeout for the response
// headers.
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

// Close closes idle connections. There must be no open readers or writers.
func (c *Client) Close() { c.close() }

// Open opens the object at a location for reading. Cancelling ctx also cancels reads. All errors,
// including those of later reads, are of type [*Error].
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

// Create starts writing an object at a location. An existing object stays until [Writer.Commit],
// which replaces it. The writer must be committed or aborted. Cancelling ctx aborts it. No request
// may be sent until the first part is full or the object is committed: see [Client.Check].
func (c *Client) Create(ctx context.Context, location Location) (*Writer, error) {
	const op = "write"
	b, err := c.backend(ctx, op, location)
	if err != nil {
		return nil, explain(ctx, op, location, b, err)
	}
	return newWriter(ctx, op, location, b), nil
}

// Check reports, as an [*Error], if an object could not be written at a location: if the bucket,
// container or folder does not exist or the credentials do not grant access. It writes no object
// and sends one or two small requests.
func (c *Client) Check(ctx context.Context, location Location) error {
	const op = "check"
	b, err := c.backend(ctx, op, location)
	if err != nil {
		return explain(ctx, op, location, b, err)
	}
	defer b.close()
	return explain(ctx, op, location, b, b.check(ctx, location.Key))
}
