package trace

import (
	"fmt"
	"maps"
	"math"
	"slices"
	"unicode/utf8"

	"github.com/tinylib/msgp/msgp"
)

// appendManifest appends an object in its canonical form: apiVersion, kind, metadata, then the
// other fields sorted, and everything below sorted.
func appendManifest(b []byte, obj map[string]any) ([]byte, error) {
	first := []string{"apiVersion", "kind", "metadata"}
	keys := make([]string, 0, len(obj))
	for _, k := range first {
		if _, ok := obj[k]; ok {
			keys = append(keys, k)
		}
	}
	for _, k := range slices.Sorted(maps.Keys(obj)) {
		if !slices.Contains(first, k) {
			keys = append(keys, k)
		}
	}
	return appendMap(b, obj, keys, objectDepth+1)
}

// appendValue appends a JSON value in its canonical form: sorted keys, the smallest encoding of
// integers and lengths, and floats as float64.
func appendValue(b []byte, v any, depth int) ([]byte, error) {
	switch v := v.(type) {
	case nil:
		return msgp.AppendNil(b), nil
	case bool:
		return msgp.AppendBool(b, v), nil
	case string:
		return appendString(b, v)
	case float64:
		return appendFloat(b, v)
	case float32:
		return appendFloat(b, float64(v))
	case []any:
		return appendArray(b, v, depth+1)
	case map[string]any:
		return appendMap(b, v, slices.Sorted(maps.Keys(v)), depth+1)
	}
	i, negative, ok := integer(v)
	if !ok {
		return nil, classed(ErrType, "a %T is not a JSON value", v)
	}
	if negative {
		return msgp.AppendInt64(b, int64(i)), nil
	}
	return msgp.AppendUint64(b, i), nil
}

func appendString(b []byte, s string) ([]byte, error) {
	if !utf8.ValidString(s) {
		return nil, classed(ErrValue, "%.64q is not valid UTF-8", s)
	}
	return msgp.AppendString(b, s), nil
}

func appendFloat(b []byte, f float64) ([]byte, error) {
	if math.IsNaN(f) || math.IsInf(f, 0) {
		return nil, classed(ErrValue, "%v is not a number that JSON can hold", f)
	}
	return msgp.AppendFloat64(b, f), nil
}

func appendArray(b []byte, a []any, depth int) (_ []byte, err error) {
	if depth > MaxDepth {
		return nil, ErrTooDeep
	}
	b = msgp.AppendArrayHeader(b, uint32(len(a)))
	for i, v := range a {
		if b, err = appendValue(b, v, depth); err != nil {
			return nil, fmt.Errorf("[%d]: %w", i, err)
		}
	}
	return b, nil
}

func appendMap(b []byte, m map[string]any, keys []string, depth int) (_ []byte, err error) {
	if depth > MaxDepth {
		return nil, ErrTooDeep
	}
	b = msgp.AppendMapHeader(b, uint32(len(keys)))
	for _, k := range keys {
		if b, err = appendString(b, k); err != nil {
			return nil, err
		}
		if b, err = appendValue(b, m[k], depth); err != nil {
			return nil, fmt.Errorf("%s: %w", k, err)
		}
	}
	return b, nil
}
