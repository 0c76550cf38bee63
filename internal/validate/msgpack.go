package validate

import "github.com/tinylib/msgp/msgp"

// The bytes of an object were checked when it was read, so the following functions return no
// errors. An invalid value is skipped. Each function is passed the bytes from the start of a value
// to the end of the object, and returns those after the value.

// skip returns the bytes after a value.
func skip(b []byte) []byte {
	rest, err := msgp.Skip(b)
	if err != nil {
		return nil
	}
	return rest
}

// eachField calls field with each key of a map and the bytes from its value on; field returns the
// bytes after the value. A value other than a map is skipped.
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

// eachElement is like eachField for an array.
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

// readString reads a string into s. It leaves s unchanged if the value is not a string.
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

// readTrue sets v to whether the value is true.
func readTrue(b []byte, v *bool) (rest []byte) {
	if msgp.NextType(b) != msgp.BoolType {
		return skip(b)
	}
	value, rest, err := msgp.ReadBoolBytes(b)
	*v = err == nil && value
	return rest
}

// readInt reads an integer into n. It leaves n unchanged if the value is not an integer.
func readInt(b []byte, n *int64) (rest []byte) {
	switch msgp.NextType(b) {
	case msgp.IntType, msgp.UintType:
		value, rest, err := msgp.ReadInt64Bytes(b)
		if err != nil {
			return skip(b)
		}
		*n = value
		return rest
	}
	return skip(b)
}

// isEmpty reports whether a value is null or an empty map.
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
