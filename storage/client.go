package storage

import (
	"context"
	"errors"
	"io"
	"net/http"
)

// Options are a client's settings. The zero value is right for a program that is run by a person or in a cluster.
type Options struct {
	// Getenv looks up the environment; os.Getenv when nil. A cloud's default chain of credentials, which is asked when
	// no variable names any, reads the process's environment by itself.
	Getenv func(string) string
	// Transport carries all requests; when nil, one like http.DefaultTransport that does not wait for ever.
	Transport http.RoundTripper
	// PartSize is how many bytes an upload gathers before it sends them, 8 MiB when 0. Three parts are held in memory at
	// most. A cloud takes 10,000 parts: 80 GB with 8 MiB.
	PartSize int
}

// Client reads and writes objects. It is safe for concurrent use.
type Client struct {
	options Options
}

// New makes a client. It asks nobody yet: credentials are looked up when an object is read or written.
func New(options Options) *Client { return &Client{options: options} }

// Close gives up idle connections. Nothing may be open or being written any more.
func (c *Client) Close() {}

// Reader is an open object. It is not safe for concurrent use, and must be closed.
type Reader struct {
	io.ReadCloser
	size int64
}

// Size is the object's length in bytes, or -1 where the server did not tell.
func (r *Reader) Size() int64 { return r.size }

// Open opens the object at a location, to be read from its beginning to its end. Cancelling ctx ends reading too. What
// fails, later reads included, fails with an [*Error].
func (c *Client) Open(ctx context.Context, location Location) (*Reader, error) {
	return nil, errors.ErrUnsupported
}

// Create begins an object at a location, in the place of one that may be there; that one stays until [Writer.Commit].
// The writer must be committed or aborted. Cancelling ctx aborts. A bucket need not be asked before the first part is
// full or the object is committed: see [Client.Check].
func (c *Client) Create(ctx context.Context, location Location) (*Writer, error) {
	return nil, errors.ErrUnsupported
}

// Check tells whether an object could be written at a location, without writing one: whether bucket, container or
// folder exist and the credentials permit it. It costs one or two small requests. It fails with an [*Error].
func (c *Client) Check(ctx context.Context, location Location) error { return errors.ErrUnsupported }
