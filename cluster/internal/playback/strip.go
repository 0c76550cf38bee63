package main

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"io"
	"slices"
)

// A frame is a header and data: the magic, the time in 8 bytes, and the length of the data in 4, big-endian. GOROOT's
// runtime/time_fake.go writes them, one for each write to the standard output or error.
const (
	magic      = "\x00\x00PB"
	headerSize = len(magic) + 8 + 4
)

// stripper writes the data of frames to out. What is not in a frame it writes as it is: the programs
// that a program in virtual time starts share its output and may be on the wall clock.
type stripper struct {
	out  io.Writer
	held []byte // what may be the beginning of a header
	left int    // bytes of a frame's data that are to come
}

// Write implements io.Writer. It never fails but with out.
func (s *stripper) Write(p []byte) (int, error) {
	rest := slices.Concat(s.held, p)
	s.held = nil
	for len(rest) > 0 {
		var plain int
		switch at := bytes.Index(rest, []byte(magic)); {
		case s.left > 0:
			plain = min(s.left, len(rest))
			s.left -= plain
		case at == 0 && len(rest) >= headerSize:
			s.left = int(binary.BigEndian.Uint32(rest[headerSize-4:]))
			rest = rest[headerSize:]
		case at == 0:
			s.held = bytes.Clone(rest)
			return len(p), nil
		case at > 0:
			plain = at
		default:
			plain = len(rest) - begun(rest)
			if plain == 0 {
				s.held = bytes.Clone(rest)
				return len(p), nil
			}
		}
		if err := s.write(rest[:plain]); err != nil {
			return 0, err
		}
		rest = rest[plain:]
	}
	return len(p), nil
}

// begun returns how many bytes at the end of b are the beginning of the magic.
func begun(b []byte) int {
	for n := min(len(b), len(magic)-1); n > 0; n-- {
		if bytes.HasSuffix(b, []byte(magic[:n])) {
			return n
		}
	}
	return 0
}

// flush writes what turned out not to be a header, as nothing followed.
func (s *stripper) flush() error {
	held := s.held
	s.held = nil
	return s.write(held)
}

func (s *stripper) write(p []byte) error {
	if len(p) == 0 {
		return nil
	}
	if _, err := s.out.Write(p); err != nil {
		return fmt.Errorf("pass output on: %w", err)
	}
	return nil
}
