package timeline

import (
	"io"
)

// window reads a file forwards in pieces. It reads further ahead the longer it reads without gaps.
type window struct {
	file io.ReaderAt
	buf  []byte
	off  int64
	// ahead is the number of bytes to read next.
	ahead int64
}

const (
	minAhead = 16 << 10
	maxAhead = 1 << 20
)

// read returns bytes of the file. They are valid until the next read.
func (w *window) read(off, size int64) ([]byte, error) {
	if off < w.off || off+size > w.off+int64(len(w.buf)) {
		if err := w.fill(off, size); err != nil {
			return nil, err
		}
	}
	at := off - w.off
	return w.buf[at : at+size : at+size], nil
}

func (w *window) fill(off, size int64) error {
	if off >= w.off && off <= w.off+int64(len(w.buf)) {
		w.ahead = min(2*w.ahead, maxAhead)
	} else {
		w.ahead = 0
	}
	n := max(size, w.ahead, minAhead)
	w.ahead = max(w.ahead, minAhead)
	if int64(cap(w.buf)) < n {
		w.buf = make([]byte, n)
	}
	w.off, w.buf = off, w.buf[:n]
	got, err := w.file.ReadAt(w.buf, off)
	w.buf = w.buf[:got]
	if int64(got) < size {
		return err
	}
	return nil
}
