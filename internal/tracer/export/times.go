package export

import (
	"bufio"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"iter"
	"os"
)

// timesSpool keeps the times of the events' objects, in milliseconds, in a file.
type timesSpool struct {
	dir   string
	file  *os.File
	out   *bufio.Writer
	event []uint16
	buf   []byte
}

func newTimesSpool(dir string) *timesSpool { return &timesSpool{dir: dir} }

// add adds an object to the event.
func (s *timesSpool) add(millis uint16) { s.event = append(s.event, millis) }

// end ends the event.
func (s *timesSpool) end() error {
	if s.file == nil {
		f, err := os.CreateTemp(s.dir, "times-*")
		if err != nil {
			return fmt.Errorf("spool times: %w", err)
		}
		s.file, s.out = f, bufio.NewWriterSize(f, fileBuffer)
	}
	s.buf = binary.AppendUvarint(s.buf[:0], uint64(len(s.event)))
	for _, ms := range s.event {
		s.buf = binary.AppendUvarint(s.buf, uint64(ms))
	}
	s.event = s.event[:0]
	if _, err := s.out.Write(s.buf); err != nil {
		return fmt.Errorf("spool times: %w", err)
	}
	return nil
}

// all returns the events, each valid until the next.
func (s *timesSpool) all() iter.Seq2[[]uint16, error] {
	return func(yield func([]uint16, error) bool) {
		if s.file == nil {
			return
		}
		if err := s.out.Flush(); err != nil {
			yield(nil, fmt.Errorf("spool times: %w", err))
			return
		}
		in := bufio.NewReaderSize(io.NewSectionReader(s.file, 0, 1<<62), fileBuffer)
		var event []uint16
		for {
			n, err := binary.ReadUvarint(in)
			if errors.Is(err, io.EOF) {
				return
			}
			event = event[:0]
			for ; err == nil && n > 0; n-- {
				var ms uint64
				ms, err = binary.ReadUvarint(in)
				event = append(event, uint16(ms))
			}
			if err != nil {
				yield(nil, fmt.Errorf("read spooled times: %w", unexpected(err)))
				return
			}
			if !yield(event, nil) {
				return
			}
		}
	}
}

// close removes the file.
func (s *timesSpool) close() error {
	if s.file == nil {
		return nil
	}
	f := s.file
	s.file = nil
	return removeFile(f)
}
