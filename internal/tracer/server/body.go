package server

import (
	"bufio"
	"fmt"
	"io"
	"mime"
	"net/http"
	"time"

	"github.com/klauspost/compress/gzip"
	"github.com/klauspost/compress/zstd"
)

// traceMediaType is the media type of a trace.
const traceMediaType = "application/msgpack"

// bodyBuffer is the size of the buffer before compression: until it is full, an error can still be
// returned as the response.
const bodyBuffer = 64 << 10

// body writes a trace as the body of a response, compressed if the client asks for it. It must be
// ended by Close, or by discard, which sends nothing more.
type body struct {
	buffer  *bufio.Writer
	encoder io.WriteCloser // nil if the body is not compressed
	conn    *connWriter
}

func newBody(w http.ResponseWriter, encoding, name string, stall time.Duration) *body {
	b := &body{conn: &connWriter{w: w, control: http.NewResponseController(w), stall: stall}}
	b.conn.before = func() {
		header := w.Header()
		header.Set("Content-Type", traceMediaType)
		header.Set("Content-Disposition", mime.FormatMediaType("attachment", map[string]string{"filename": name}))
		header.Set("Vary", "Accept-Encoding")
		if encoding != "" {
			header.Set("Content-Encoding", encoding)
		}
	}
	to := io.Writer(b.conn)
	switch encoding {
	case encodingGzip:
		// The fastest level, because the machine is shared with other programs.
		b.encoder, _ = gzip.NewWriterLevel(to, gzip.BestSpeed)
	case encodingZstd:
		b.encoder, _ = zstd.NewWriter(to, zstd.WithEncoderLevel(zstd.SpeedFastest), zstd.WithEncoderConcurrency(1), zstd.WithWindowSize(1<<20))
	}
	if b.encoder != nil {
		to = b.encoder
	}
	b.buffer = bufio.NewWriterSize(to, bodyBuffer)
	return b
}

func (b *body) Write(p []byte) (int, error) { return b.buffer.Write(p) }

// Close sends the rest. If it returns nil, the client has received everything.
func (b *body) Close() error {
	if err := b.buffer.Flush(); err != nil {
		b.discard()
		return fmt.Errorf("send the trace: %w", err)
	}
	if b.encoder != nil {
		if err := b.encoder.Close(); err != nil {
			return fmt.Errorf("send the trace: %w", err)
		}
	}
	// The next request on the connection has its own deadlines.
	_ = b.conn.control.SetWriteDeadline(time.Time{})
	return nil
}

// discard drops what was not sent.
func (b *body) discard() {
	b.conn.broken = true
	if b.encoder != nil {
		_ = b.encoder.Close() // fails with the error of the connection
	}
}

// sent returns the number of bytes sent to the client, after compression.
func (b *body) sent() int64 { return b.conn.n }

// connWriter writes to a client with a deadline for each write.
type connWriter struct {
	w       http.ResponseWriter
	control *http.ResponseController
	stall   time.Duration
	before  func() // sets the headers, before the first byte
	n       int64
	broken  bool
}

func (c *connWriter) Write(p []byte) (int, error) {
	if c.broken {
		return 0, io.ErrClosedPipe
	}
	if c.n == 0 {
		c.before()
	}
	// Without a connection, as in tests, there is no deadline.
	_ = c.control.SetWriteDeadline(time.Now().Add(c.stall))
	n, err := c.w.Write(p)
	c.n += int64(n)
	return n, err
}
