package trace

import (
	"errors"
	"io"
)

// Sizes of the window a scanner holds of its input. It begins small, because most inputs may be, and
// grows with what was really received, never with what a length in the input promises.
const (
	minWindow = 2 << 10
	maxChunk  = 256 << 10
)

// maxEmptyReads is how often a source may give neither data nor an error.
const maxEmptyReads = 100

// input is a window on a source of bytes: from where the reader last let go to what was received so far.
type input struct {
	buf  []byte // the window
	pos  int    // the next byte of it to be looked at
	base []byte // the whole memory buf is a part of
	off  int64  // where in the source buf begins
	src  io.Reader
	err  error // what ended the source, once something did
}

// wholeInput is the window on bytes that are all there.
func wholeInput(b []byte) input { return input{buf: b, base: b, err: io.EOF} }

// offset gives the place in the source of a position in the window.
func (in *input) offset(pos int) int64 { return in.off + int64(pos) }

// release lets go of the bytes in front of pos. Positions change; bytes already handed out stay until
// the next fill.
func (in *input) release() {
	in.off += int64(in.pos)
	in.buf = in.buf[in.pos:]
	in.pos = 0
}

// fill reads until n bytes from pos on are in the window. Positions stay as they are, but the bytes
// may move. It gives false when the source ended before; in.err then says why.
func (in *input) fill(n int) bool {
	for empty := 0; len(in.buf)-in.pos < n; {
		if in.err != nil {
			return false
		}
		if len(in.buf) == cap(in.buf) {
			in.makeRoom()
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

// makeRoom moves the window to the front of its memory when that frees at least half of it, and to
// twice the memory otherwise. Chunks grow up to maxChunk along with what was received.
func (in *input) makeRoom() {
	live := len(in.buf)
	chunk := int(min(max(in.offset(live), minWindow), maxChunk))
	if 2*live > cap(in.base) || cap(in.base) < chunk {
		in.base = make([]byte, max(2*live, chunk))
	}
	copy(in.base, in.buf)
	in.buf = in.base[:live]
}

// truncated tells whether the source ended in the regular way, as opposed to failing.
func (in *input) truncated() bool { return errors.Is(in.err, io.EOF) }
