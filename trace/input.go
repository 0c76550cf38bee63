package trace

import (
	"errors"
	"io"
)

// Sizes of the window that a scanner holds of its input. It starts small, because most inputs are
// small, and grows with the bytes received, never with a length that the input claims.
const (
	minWindow = 2 << 10
	maxChunk  = 256 << 10
)

// maxEmptyReads is the number of consecutive reads that may return neither data nor an error.
const maxEmptyReads = 100

// input is a window on a source of bytes. It ranges from the last released byte to the last
// received byte.
type input struct {
	buf  []byte // the window
	pos  int    // the next byte to read
	base []byte // the memory that buf is a slice of
	off  int64  // the offset of buf in the source
	src  io.Reader
	err  error // the error that ended the source, if it has ended
}

// wholeInput returns a window on a complete input.
func wholeInput(b []byte) input { return input{buf: b, base: b, err: io.EOF} }

// offset returns the offset in the source of a position in the window.
func (in *input) offset(pos int) int64 { return in.off + int64(pos) }

// release drops the bytes before pos from the window. Positions change. Bytes that were returned
// before stay valid until the next fill.
func (in *input) release() {
	in.off += int64(in.pos)
	in.buf = in.buf[in.pos:]
	in.pos = 0
}

// fill reads until the window holds n bytes from pos. Positions do not change, but the bytes may
// move. It returns false if the source ended before; in.err is the reason.
func (in *input) fill(n int) bool {
	for empty := 0; len(in.buf)-in.pos < n; {
		if in.err != nil {
			return false
		}
		if len(in.buf) == cap(in.buf) {
			in.grow()
		}
		got, err := in.src.Read(in.buf[len(in.buf):cap(in.buf)])
		in.buf = in.buf[:len(in.buf)+got]
		in.err = err
		if got > 0 {
			empty = 0
		} else if empty++; empty > maxEmptyReads && err == nil {
			in.err = io.ErrNoProgress
		}
	}
	return true
}

// grow moves the window to the start of its memory if that frees at least half of it, and
// otherwise to twice the memory. Chunks grow up to maxChunk with the bytes received.
func (in *input) grow() {
	live := len(in.buf)
	chunk := int(min(max(in.offset(live), minWindow), maxChunk))
	if 2*live > cap(in.base) || cap(in.base) < chunk {
		in.base = make([]byte, max(2*live, chunk))
	}
	copy(in.base, in.buf)
	in.buf = in.base[:live]
}

// truncated reports whether the source ended without an error.
func (in *input) truncated() bool { return errors.Is(in.err, io.EOF) }
