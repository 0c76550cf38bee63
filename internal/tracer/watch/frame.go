package watch

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
)

const (
	// maxFrame is the maximum length of a frame or an object. The API server accepts objects of up to
	// 3 MiB; etcd stores 1.5 MiB by default.
	maxFrame = 64 << 20
	// keepFrame is the maximum size of a buffer that is reused.
	keepFrame = 1 << 20
	// readSize is the size of a read.
	readSize = 64 << 10
)

var errTooLong = fmt.Errorf("an object is larger than %d MiB", maxFrame>>20)

// frameReader reads the lines of a watch. It reuses its buffers.
type frameReader struct {
	reader *bufio.Reader
	long   []byte
}

// reset makes it read from r.
func (f *frameReader) reset(r io.Reader) {
	if f.reader == nil {
		f.reader = bufio.NewReaderSize(r, readSize)
	}
	f.reader.Reset(r)
}

// next returns the next line without its end; it is valid until the next call. At the end of the
// input the error is io.EOF, within a line it is io.ErrUnexpectedEOF.
func (f *frameReader) next() ([]byte, error) {
	if cap(f.long) > keepFrame {
		f.long = nil
	}
	f.long = f.long[:0]
	for {
		part, err := f.reader.ReadSlice('\n')
		switch {
		case err == nil && len(f.long) == 0:
			if part = bytes.TrimSpace(part); len(part) > 0 {
				return part, nil
			}
			continue
		case len(f.long)+len(part) > maxFrame:
			return nil, errTooLong
		case err != nil && !errors.Is(err, bufio.ErrBufferFull):
			if errors.Is(err, io.EOF) && len(f.long)+len(part) > 0 {
				err = io.ErrUnexpectedEOF
			}
			return nil, err
		}
		f.long = append(f.long, part...)
		if err == nil {
			return bytes.TrimSpace(f.long), nil
		}
	}
}
