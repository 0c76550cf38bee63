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

// traceMediaType is that of a trace.
const traceMediaType = "application/msgpack"

// bodyBuffer is how much is gathered before it is compressed and sent: as long as it is not full, an error can still be told.
const bodyBuffer = 64 << 10

// body writes a trace as the body of an answer, compressed if the client wants that. It must be ended by Close, or by
// discard, which sends nothing more.
type body struct {
	buffer  *bufio.Writer
	encoder io.WriteCloser // nil: nothing is compressed
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
		// A level that is as quick as the recorder wants it: the rest of the machine is somebody else's.
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

// Close sends what is left. Then the client has all of it, or there is an error.
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
	// The next request on the connection has deadlines of its own.
	_ = b.conn.control.SetWriteDeadline(time.Time{})
	return nil
}

// discard lets go of what was not sent.
func (b *body) discard() {
	b.conn.broken = true
	if b.encoder != nil {
		_ = b.encoder.Close() // ends in the connection's error
	}
}

// sent is how many bytes the client was sent, after compression.
func (b *body) sent() int64 { return b.conn.n }

// connWriter writes to a client that has to take something now and then.
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
	// Where a deadline cannot be set, as in tests without a connection, there is none.
	_ = c.control.SetWriteDeadline(time.Now().Add(c.stall))
	n, err := c.w.Write(p)
	c.n += int64(n)
	return n, err
}
