package tracejson

import (
	"bytes"
	"encoding/binary"
	"slices"
	"strconv"

	"github.com/tinylib/msgp/msgp"

	"simkube.io/simkube/trace"
)

// manifest is the place of all values in manifests, where nothing is special.
const manifest place = 0xff

// appendValue reads the next value and appends it as msgpack, in the same order. depth is the
// number of objects and arrays around it.
func (s *scanner) appendValue(b []byte, at place, depth int) ([]byte, *Error) {
	c, err := s.peek("a value")
	if err != nil {
		return nil, err
	}
	switch {
	case c == '"' && at == atHash:
		return s.appendHash(b)
	case c == '"':
		text, err := s.string("a string")
		if err != nil {
			return nil, err
		}
		return msgp.AppendStringFromBytes(b, text), nil
	case c == '{':
		return s.appendObject(b, at, depth+1)
	case c == '[':
		return s.appendArray(b, at, depth+1)
	case c == '0':
		return s.appendNumber(b)
	case c == 't':
		return msgp.AppendBool(b, true), s.token("true")
	case c == 'f':
		return msgp.AppendBool(b, false), s.token("false")
	case c == 'n':
		return msgp.AppendNil(b), s.token("null")
	}
	return nil, s.want("a value", c)
}

// maxCompared is how many keys of an object are compared here. Package trace finds duplicate keys
// in larger objects.
const maxCompared = 16

func (s *scanner) appendObject(b []byte, at place, depth int) ([]byte, *Error) {
	if depth > trace.MaxDepth {
		return nil, s.here().fail(trace.ErrTooDeep, "objects and arrays are nested deeper than %d", trace.MaxDepth)
	}
	if err := s.token("an object"); err != nil {
		return nil, err
	}
	head := len(b)
	b = append(b, 0)
	var keys [][2]int // those of an extension, in b; trace.ParseEvent checks others
	for n := 0; ; n++ {
		more, err := s.another('}', "a key or '}'")
		if err != nil {
			return nil, err
		}
		if !more {
			return putHeader(b, head, n, 0x80, 0xde), nil
		}
		where := s.here()
		key, err := s.string("a key, which is a string in quotes")
		if err != nil {
			return nil, err
		}
		place := manifest
		if at != manifest {
			if string(key) == keyMsgpack {
				return s.appendOnlyBytes(b, head, n, where)
			}
			place = at.under(key)
		}
		keyAt := len(b)
		b = msgp.AppendStringFromBytes(b, key)
		keyEnd := len(b)
		if at != manifest {
			for _, k := range keys {
				if bytes.Equal(b[k[0]:k[1]], b[keyAt:keyEnd]) {
					return nil, where.fail(trace.ErrDuplicateKey, "the key %.64q is there twice", key)
				}
			}
			if len(keys) < maxCompared {
				keys = append(keys, [2]int{keyAt, keyEnd})
			}
		}
		grown, err := s.appendValue(b, place, depth)
		if err != nil {
			name, _, _ := msgp.ReadStringBytes(b[keyAt:keyEnd])
			return nil, err.in(name)
		}
		b = grown
	}
}

// appendOnlyBytes reads the rest of an object whose only key is $msgpack.
func (s *scanner) appendOnlyBytes(b []byte, head, n int, where position) ([]byte, *Error) {
	if n > 0 {
		return nil, where.fail(ErrForm, "%s has to be the only key of an object", keyMsgpack)
	}
	b, err := s.appendBytes(b[:head])
	if err != nil {
		return nil, err.in(keyMsgpack)
	}
	more, err := s.another('}', "'}'")
	if err == nil && more {
		err = s.here().fail(ErrForm, "%s has to be the only key of an object", keyMsgpack)
	}
	return b, err
}

func (s *scanner) appendArray(b []byte, at place, depth int) ([]byte, *Error) {
	if depth > trace.MaxDepth {
		return nil, s.here().fail(trace.ErrTooDeep, "objects and arrays are nested deeper than %d", trace.MaxDepth)
	}
	if err := s.token("an array"); err != nil {
		return nil, err
	}
	head := len(b)
	b = append(b, 0)
	place := manifest
	if at != manifest {
		place = at.element()
	}
	for n := 0; ; n++ {
		more, err := s.another(']', "a value or ']'")
		if err != nil {
			return nil, err
		}
		if !more {
			return putHeader(b, head, n, 0x90, 0xdc), nil
		}
		if b, err = s.appendValue(b, place, depth); err != nil {
			return nil, err.at(n)
		}
	}
}

// putHeader writes the header of a map or array, for which one byte was reserved.
func putHeader(b []byte, head, n int, short, long byte) []byte {
	switch {
	case n < 16:
		b[head] = short | byte(n)
	case n < 1<<16:
		b[head] = long
		b = slices.Insert(b, head+1, byte(n>>8), byte(n))
	default:
		b[head] = long + 1
		b = slices.Insert(b, head+1, 0, 0, 0, 0)
		binary.BigEndian.PutUint32(b[head+1:], uint32(n))
	}
	return b
}

func (s *scanner) appendNumber(b []byte) ([]byte, *Error) {
	at := s.here()
	text, isInteger, err := s.number()
	switch {
	case err != nil:
		return nil, err
	case !isInteger:
		f, parseErr := strconv.ParseFloat(string(text), 64)
		if parseErr != nil {
			return nil, at.fail(ErrForm, "%.64s is larger than a float can be", text)
		}
		return msgp.AppendFloat64(b, f), nil
	}
	v, negative, err := parseInteger(text, at)
	if err != nil {
		return nil, err
	}
	return appendInt(b, v, negative), nil
}

// appendInt appends the smallest encoding of an integer.
func appendInt(b []byte, v uint64, negative bool) []byte {
	if negative {
		return msgp.AppendInt64(b, int64(v))
	}
	return msgp.AppendUint64(b, v)
}

// parseInteger returns the two's complement of an integer of 64 bits.
func parseInteger(text []byte, at position) (v uint64, negative bool, _ *Error) {
	if len(text) < 19 && text[0] != '-' { // it fits
		for _, c := range text {
			v = v*10 + uint64(c-'0')
		}
		return v, false, nil
	}
	var err error
	if text[0] == '-' {
		var i int64
		i, err = strconv.ParseInt(string(text), 10, 64)
		v, negative = uint64(i), i < 0
	} else {
		v, err = strconv.ParseUint(string(text), 10, 64)
	}
	if err != nil {
		return 0, false, at.fail(ErrForm, "the integer %.64s needs more than 64 bits (with .0 at the end it is a float)", text)
	}
	return v, negative, nil
}

// appendHash reads a string that is a hash.
func (s *scanner) appendHash(b []byte) ([]byte, *Error) {
	hash, err := s.hash()
	return msgp.AppendUint64(b, hash), err
}

// hash reads a hash: a string of digits, or an integer. A negative one is the same 64 bits.
func (s *scanner) hash() (uint64, *Error) {
	c, err := s.peek("a hash")
	if err != nil {
		return 0, err
	}
	at := s.here()
	switch {
	case c == '"':
		text, err := s.string("a hash")
		if err != nil {
			return 0, err
		}
		return parseHash(text, at)
	case c == '0':
		text, isInteger, err := s.number()
		if err != nil {
			return 0, err
		}
		if !isInteger {
			return 0, at.fail(ErrForm, "want a hash, got %.64s: it has been through a program that has no integers of 64 bits; hashes are safe as strings", text)
		}
		v, _, err := parseInteger(text, at)
		return v, err
	}
	return 0, s.want("a hash, which is a string of digits or an integer", c)
}

// parseHash reads the digits of a hash.
func parseHash(text []byte, at position) (uint64, *Error) {
	isCanonical := len(text) == 1 || len(text) > 0 && text[0] != '0'
	if v, err := strconv.ParseUint(string(text), 10, 64); err == nil && isCanonical {
		return v, nil
	}
	return 0, at.fail(ErrForm, "want a hash, an unsigned integer of 64 bits, got %.64q", text)
}
