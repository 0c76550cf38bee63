// Package playback decodes the standard output and error of a program in virtual time: the Go
// runtime's fake clock, made for the Go playground, writes it in frames.
package playback

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"io"
	"slices"
)

// A frame is a header and data: the magic, the time in nanoseconds since 1970 in 8 bytes, and the
// length of the data in 4, big-endian. GOROOT's runtime/time_fake.go writes one for each write to
// the standard output or error.
const (
	magic      = "\x00\x00PB"
	headerSize = len(magic) + 8 + 4
)

// Writer writes the data of the frames that are written to it. Bytes outside of frames are written
// unchanged: child processes of a program in virtual time share its output and may use real time.
// It is not safe for concurrent use.
type Writer struct {
	out       io.Writer
	held      []byte // a possible start of a header
	remaining int    // remaining bytes of the current frame's data
}

// NewWriter returns a Writer that writes to out.
func NewWriter(out io.Writer) *Writer { return &Writer{out: out} }

// Write implements io.Writer. It only returns errors of the underlying writer.
func (w *Writer) Write(p []byte) (int, error) {
	rest := slices.Concat(w.held, p)
	w.held = nil
	for len(rest) > 0 {
		var plain int
		switch at := bytes.Index(rest, []byte(magic)); {
		case w.remaining > 0:
			plain = min(w.remaining, len(rest))
			w.remaining -= plain
		case at == 0 && len(rest) >= headerSize:
			w.remaining = int(binary.BigEndian.Uint32(rest[headerSize-4:]))
			rest = rest[headerSize:]
		case at == 0:
			w.held = bytes.Clone(rest)
			return len(p), nil
		case at > 0:
			plain = at
		default:
			plain = len(rest) - partialMagic(rest)
			if plain == 0 {
				w.held = bytes.Clone(rest)
				return len(p), nil
			}
		}
		if err := w.write(rest[:plain]); err != nil {
			return 0, err
		}
		rest = rest[plain:]
	}
	return len(p), nil
}

// partialMagic returns the number of bytes at the end of b that may be the start of the magic.
func partialMagic(b []byte) int {
	for n := min(len(b), len(magic)-1); n > 0; n-- {
		if bytes.HasSuffix(b, []byte(magic[:n])) {
			return n
		}
	}
	return 0
}

// Flush writes a possible start of a header when nothing follows.
func (w *Writer) Flush() error {
	held := w.held
	w.held = nil
	return w.write(held)
}

func (w *Writer) write(p []byte) error {
	if len(p) == 0 {
		return nil
	}
	if _, err := w.out.Write(p); err != nil {
		return fmt.Errorf("write output: %w", err)
	}
	return nil
}

// AppendFrame appends data to b as the runtime writes it at a time, in nanoseconds since 1970.
func AppendFrame(b []byte, time uint64, data string) []byte {
	b = binary.BigEndian.AppendUint64(append(b, magic...), time)
	b = binary.BigEndian.AppendUint32(b, uint32(len(data)))
	return append(b, data...)
}
