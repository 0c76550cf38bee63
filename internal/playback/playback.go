// Package playback takes apart what a program in virtual time writes to its standard output and error: the Go runtime's fake
// clock, made for the Go playground, frames it.
package playback

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"io"
	"slices"
)

// A frame is a header and data: the magic, the time in nanoseconds since 1970 in 8 bytes, and the length of the data in 4,
// big-endian. GOROOT's runtime/time_fake.go writes them, one for each write to the standard output or error.
const (
	magic      = "\x00\x00PB"
	headerSize = len(magic) + 8 + 4
)

// Writer passes on the data of the frames that are written to it. What is not in a frame it passes on as it is: the programs
// that a program in virtual time starts share its output and may be on the wall clock. It is not safe for
// concurrent use.
type Writer struct {
	out  io.Writer
	held []byte // what may be the beginning of a header
	left int    // bytes of a frame's data that are to come
}

// NewWriter returns a Writer that writes to out.
func NewWriter(out io.Writer) *Writer { return &Writer{out: out} }

// Write implements io.Writer. It fails only with the writer beneath.
func (w *Writer) Write(p []byte) (int, error) {
	rest := slices.Concat(w.held, p)
	w.held = nil
	for len(rest) > 0 {
		var plain int
		switch at := bytes.Index(rest, []byte(magic)); {
		case w.left > 0:
			plain = min(w.left, len(rest))
			w.left -= plain
		case at == 0 && len(rest) >= headerSize:
			w.left = int(binary.BigEndian.Uint32(rest[headerSize-4:]))
			rest = rest[headerSize:]
		case at == 0:
			w.held = bytes.Clone(rest)
			return len(p), nil
		case at > 0:
			plain = at
		default:
			plain = len(rest) - begun(rest)
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

// begun returns how many bytes at the end of b are the beginning of the magic.
func begun(b []byte) int {
	for n := min(len(b), len(magic)-1); n > 0; n-- {
		if bytes.HasSuffix(b, []byte(magic[:n])) {
			return n
		}
	}
	return 0
}

// Flush passes on what could have been the beginning of a header, for when nothing follows.
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
		return fmt.Errorf("pass output on: %w", err)
	}
	return nil
}

// AppendFrame appends data to b as the runtime writes it at a time, in nanoseconds since 1970.
func AppendFrame(b []byte, time uint64, data string) []byte {
	b = binary.BigEndian.AppendUint64(append(b, magic...), time)
	b = binary.BigEndian.AppendUint32(b, uint32(len(data)))
	return append(b, data...)
}
