package trace

import (
	"bufio"
	"errors"
	"io"
	"os"
)

// spool is a temporary file that is created at the first write.
type spool struct {
	dir string
	f   *os.File
	buf *bufio.Writer
}

func (s *spool) write(b []byte) error {
	if s.f == nil {
		f, err := os.CreateTemp(s.dir, ".sktrace-events.*.tmp")
		if err != nil {
			return err
		}
		s.f, s.buf = f, bufio.NewWriterSize(f, writerBuffer)
	}
	_, err := s.buf.Write(b)
	return err
}

// copyTo copies the content of the file to w.
func (s *spool) copyTo(w io.Writer) error {
	if s.f == nil {
		return nil
	}
	if err := s.buf.Flush(); err != nil {
		return err
	}
	if _, err := s.f.Seek(0, io.SeekStart); err != nil {
		return err
	}
	_, err := io.Copy(w, s.f)
	return err
}

// close removes the file.
func (s *spool) close() error {
	if s.f == nil {
		return nil
	}
	f := s.f
	s.f = nil
	return errors.Join(f.Close(), os.Remove(f.Name()))
}
