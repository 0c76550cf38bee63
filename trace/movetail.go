package trace

import (
	"errors"
	"io"
	"os"
)

// moveTail moves what a file has from one offset on to another one, and makes the file end where that ends.
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
	// What is moved back must not be written over before it is read: the last comes first.
	for end := size; end > from; end -= maxChunk {
		at := max(from, end-maxChunk)
		if err := move(at, end-at); err != nil {
			return err
		}
	}
	return nil
}
