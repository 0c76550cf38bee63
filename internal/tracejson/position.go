package tracejson

import (
	"bytes"
	"fmt"
	"io"
)

// maxEmptyReads is how many reads in a row may return neither data nor an error.
const maxEmptyReads = 100

// position is a place in the input. Both numbers begin at 1; columns count bytes.
type position struct {
	line, column int
}

func (p position) fail(class error, format string, args ...any) *Error {
	return &Error{Line: p.line, Column: p.column, Msg: fmt.Sprintf(format, args...), Err: class}
}

// lineReader reads from src and notes where lines end, so that an offset can be turned into a
// position.
type lineReader struct {
	src  io.Reader
	read int64 // bytes read so far

	line  int     // how many lines ended before start
	start int64   // where the line of the latest position begins
	ends  []int64 // where lines behind start end, in order
}

func (r *lineReader) Read(b []byte) (n int, err error) {
	for range maxEmptyReads {
		if n, err = r.src.Read(b); n > 0 || err != nil {
			break
		}
	}
	if n == 0 && err == nil && len(b) > 0 {
		err = io.ErrNoProgress
	}
	for at := 0; ; at++ {
		next := bytes.IndexByte(b[at:n], '\n')
		if next < 0 {
			break
		}
		at += next
		r.ends = append(r.ends, r.read+int64(at)+1)
	}
	r.read += int64(n)
	if err != nil && err != io.EOF {
		err = &sourceError{err}
	}
	return n, err
}

// position returns the position of an offset, which must not be in an earlier line than that of the
// call before.
func (r *lineReader) position(offset int64) position {
	passed := 0
	for passed < len(r.ends) && r.ends[passed] <= offset {
		r.start = r.ends[passed]
		passed++
	}
	if passed > 0 {
		r.line += passed
		r.ends = append(r.ends[:0], r.ends[passed:]...)
	}
	return position{r.line + 1, int(max(offset-r.start, 0)) + 1}
}
