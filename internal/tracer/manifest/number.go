package manifest

import (
	"math"
	"strconv"

	"simkube.io/simkube/trace"
)

// number is a JSON number in the types of Kubernetes: an int64 if it has no fraction or exponent
// and fits, else a float64.
type number struct {
	isFloat bool
	int     int64
	float   float64
}

// maxFastDigits is the maximum number of digits of integers that always fit in an int64.
const maxFastDigits = 18

func (s *scanner) number() (number, *Error) {
	if describe(s.peek()) != "a number" {
		return number{}, s.bad("a value")
	}
	start := s.pos
	negative := s.data[s.pos] == '-'
	if negative {
		s.pos++
	}
	first := s.pos
	var v int64
	for s.pos < len(s.data) {
		c := s.data[s.pos] - '0'
		if c > 9 {
			break
		}
		v = v*10 + int64(c) // unused if it overflows, see below
		s.pos++
	}
	digits := s.pos - first
	if digits == 0 || digits > 1 && s.data[first] == '0' {
		s.pos = start
		return number{}, s.bad("a number as JSON has them")
	}
	fraction, err := s.fraction()
	switch {
	case err != nil:
		return number{}, err
	case !fraction && digits <= maxFastDigits:
		if negative {
			v = -v
		}
		return number{int: v}, nil
	case !fraction:
		if i, err := strconv.ParseInt(string(s.data[start:s.pos]), 10, 64); err == nil {
			return number{int: i}, nil
		}
	}
	f, parseErr := strconv.ParseFloat(string(s.data[start:s.pos]), 64)
	if parseErr != nil || math.IsInf(f, 0) {
		return number{}, s.fail(start, trace.ErrValue, "the number is too large")
	}
	return number{isFloat: true, float: f}, nil
}

// fraction reads the fraction and the exponent of a number, and reports whether there was any.
func (s *scanner) fraction() (bool, *Error) {
	found := false
	if s.pos < len(s.data) && s.data[s.pos] == '.' {
		found = true
		s.pos++
		if err := s.digits(); err != nil {
			return true, err
		}
	}
	if s.pos < len(s.data) && s.data[s.pos]|0x20 == 'e' {
		found = true
		s.pos++
		if s.pos < len(s.data) && (s.data[s.pos] == '+' || s.data[s.pos] == '-') {
			s.pos++
		}
		if err := s.digits(); err != nil {
			return true, err
		}
	}
	return found, nil
}

func (s *scanner) digits() *Error {
	start := s.pos
	for s.pos < len(s.data) && s.data[s.pos]-'0' <= 9 {
		s.pos++
	}
	if s.pos == start {
		return s.bad("a digit")
	}
	return nil
}
