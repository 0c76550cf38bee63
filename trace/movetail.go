package trace

import (
	"errors"
	"io"
	"os"
)

// moveTail moves the content of a file that starts at offset from to another offset, and truncates
// the file after it.
func moveTail(f *os.File, from, to int64) error {
	if from == to {
		return nil
	}
	size, err := f.Seek(0, io.SeekEnd)
	if err != nil {
		return err
	}
	buf := make([]byte, maxChunk)
	move := func(at int64, n int64) error {
		if _, err := f.ReadAt(buf[:n], at); err != nil && !errors.Is(err, io.EOF) {
			return err
		}
		_, err := f.WriteAt(buf[:n], at+to-from)
		return err
	}
	if to < from {
		for at := from; at < size; at += maxChunk {
			if err := move(at, min(maxChunk, size-at)); err != nil {
				return err
			}
		}
		return f.Truncate(size + to - from)
	}
	// To move backwards, copy the last chunk first, so that nothing is overwritten before it is read.
	for end := size; end > from; end -= maxChunk {
		at := max(from, end-maxChunk)
		if err := move(at, end-at); err != nil {
			return err
		}
	}
	return nil
}
