package skcluster

import (
	"bytes"
	"strings"
	"sync"
)

// ring keeps the last bytes written to it. It is safe for concurrent use.
type ring struct {
	mu   sync.Mutex // guards buf and cut
	buf  []byte
	size int
	cut  bool // whether something was dropped
}

func newRing(size int) *ring { return &ring{size: size} }

// Write keeps p and drops what no longer fits. It never fails.
func (r *ring) Write(p []byte) (int, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.buf = append(r.buf, p...)
	// Dropping only at twice the size means that a byte is moved once on average.
	if len(r.buf) > 2*r.size {
		r.buf = append(r.buf[:0], r.buf[len(r.buf)-r.size:]...)
		r.cut = true
	}
	return len(p), nil
}

// bytes returns a copy of what is kept.
func (r *ring) bytes() []byte {
	r.mu.Lock()
	defer r.mu.Unlock()
	return bytes.Clone(r.buf)
}

// lines returns at most the last n lines. It leaves out Go's stack traces, which belong in a log.
func (r *ring) lines(n int) []string {
	text := string(r.bytes())
	if at := strings.Index("\n"+text, "\ngoroutine "); at >= 0 {
		text = text[:at]
	}
	var out []string
	for line := range strings.Lines(text) {
		if line = strings.TrimRight(line, "\r\n"); strings.TrimSpace(line) != "" {
			out = append(out, line)
		}
	}
	return out[max(0, len(out)-n):]
}
