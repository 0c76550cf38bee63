package skel

import (
	"bufio"
	"encoding/binary"
	"errors"
	"io"
	"os"
)

// spooled is an object, or an empty event, that waits for its time.
type spooled struct {
	time int64
	// sequence is the same for all objects of one event, and increases from event to event.
	sequence uint64
	deleted  bool
	isEmpty  bool
	raw      []byte
}

// spool is a temporary file that is written, then read in the same order. It is unlinked when it is
// created, so nothing is left if the process is killed.
type spool struct {
	file *os.File
	// named: the file could not be unlinked while open.
	named bool
	out   *bufio.Writer
	in    *bufio.Reader
	// next is the next record to read; nil at the end.
	next *spooled
}

// spoolBuffer is the size of a spool's buffer.
const spoolBuffer = 64 << 10

func newSpool(dir string) (*spool, error) {
	file, err := os.CreateTemp(dir, "simkube-skel-*")
	if err != nil {
		return nil, err
	}
	// If the file could not be unlinked while open, close removes it. Otherwise close must not: the
	// name may already belong to another file.
	named := os.Remove(file.Name()) != nil
	return &spool{file: file, named: named, out: bufio.NewWriterSize(file, spoolBuffer)}, nil
}

// The flags of a record.
const (
	flagDeleted = 1 << iota
	flagEmpty
)

func (s *spool) write(r *spooled) error {
	var head [1 + 3*binary.MaxVarintLen64]byte
	b := head[:0]
	var flags byte
	if r.deleted {
		flags |= flagDeleted
	}
	if r.isEmpty {
		flags |= flagEmpty
	}
	b = append(b, flags)
	b = binary.AppendVarint(b, r.time)
	b = binary.AppendUvarint(b, r.sequence)
	b = binary.AppendUvarint(b, uint64(len(r.raw)))
	if _, err := s.out.Write(b); err != nil {
		return err
	}
	_, err := s.out.Write(r.raw)
	return err
}

// rewind switches from writing to reading.
func (s *spool) rewind() error {
	if err := s.out.Flush(); err != nil {
		return err
	}
	if _, err := s.file.Seek(0, io.SeekStart); err != nil {
		return err
	}
	s.in = bufio.NewReaderSize(s.file, spoolBuffer)
	return s.advance()
}

// advance reads the next record.
func (s *spool) advance() error {
	s.next = nil
	flags, err := s.in.ReadByte()
	if errors.Is(err, io.EOF) {
		return nil
	}
	if err != nil {
		return err
	}
	r := &spooled{deleted: flags&flagDeleted != 0, isEmpty: flags&flagEmpty != 0}
	if r.time, err = binary.ReadVarint(s.in); err != nil {
		return err
	}
	if r.sequence, err = binary.ReadUvarint(s.in); err != nil {
		return err
	}
	size, err := binary.ReadUvarint(s.in)
	if err != nil {
		return err
	}
	r.raw = make([]byte, size)
	if _, err := io.ReadFull(s.in, r.raw); err != nil {
		return err
	}
	s.next = r
	return nil
}

func (s *spool) close() error {
	err := s.file.Close()
	if s.named {
		err = errors.Join(err, os.Remove(s.file.Name()))
	}
	return err
}
