package validate

import "github.com/tinylib/msgp/msgp"

// The bytes of an object were checked when it was read, so what follows needs no errors: a value that cannot be is one that nobody looks
// at. Each function is given the bytes from the beginning of a value to the end of the object, and gives those behind the value.

// skip gives what stands behind a value.
func skip(b []byte) []byte {
	rest, err := msgp.Skip(b)
	if err != nil {
		return nil
	}
	return rest
}

// eachField calls field with each key of a map and the bytes from its value on; field gives those behind the value. What is no map is
// skipped.
func eachField(b []byte, field func(key, value []byte) (rest []byte)) (rest []byte) {
	if msgp.NextType(b) != msgp.MapType {
		return skip(b)
	}
	n, b, err := msgp.ReadMapHeaderBytes(b)
	for ; err == nil && n > 0; n-- {
		var key []byte
		if key, b, err = msgp.ReadStringZC(b); err == nil {
			b = field(key, b)
		}
	}
	return b
}

// eachElement is eachField for an array.
func eachElement(b []byte, element func(i int, value []byte) (rest []byte)) (rest []byte) {
	if msgp.NextType(b) != msgp.ArrayType {
		return skip(b)
	}
	n, b, err := msgp.ReadArrayHeaderBytes(b)
	for i := 0; err == nil && i < int(n); i++ {
		b = element(i, b)
	}
	return b
}

// readString reads a string into s, and leaves it where there is something else.
func readString(b []byte, s *[]byte) (rest []byte) {
	if msgp.NextType(b) != msgp.StrType {
		return skip(b)
	}
	value, rest, err := msgp.ReadStringZC(b)
	if err == nil {
		*s = value
	}
	return rest
}

// readTrue tells in v whether there is a true.
func readTrue(b []byte, v *bool) (rest []byte) {
	if msgp.NextType(b) != msgp.BoolType {
		return skip(b)
	}
	value, rest, err := msgp.ReadBoolBytes(b)
	*v = err == nil && value
	return rest
}

// isEmpty tells whether a value is null, or a map without entries.
func isEmpty(b []byte) bool {
	switch msgp.NextType(b) {
	case msgp.NilType:
		return true
	case msgp.MapType:
		n, _, err := msgp.ReadMapHeaderBytes(b)
		return err == nil && n == 0
	default:
		return false
	}
}
