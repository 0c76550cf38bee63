package trace

import (
	"encoding/base64"
	"math"
)

// decoder decodes the checked bytes of an object to a tree. It works on a string so that the
// strings of the tree share its memory: one allocation instead of one for each string.
type decoder struct {
	walker[string]
	// exact decodes integers beyond int64 as uint64.
	exact bool
}

// object decodes a manifest, which is a map.
func (d *decoder) object() map[string]any {
	m, _ := d.value().(map[string]any)
	return m
}

func (d *decoder) value() any {
	t := d.next()
	switch t.kind {
	case tokenBool:
		return t.bits != 0
	case tokenInt:
		return d.integer(t)
	case tokenFloat:
		return math.Float64frombits(t.bits)
	case tokenString:
		return t.data
	case tokenBinary:
		return base64.StdEncoding.EncodeToString([]byte(t.data))
	case tokenArray:
		a := make([]any, t.n)
		for i := range a {
			a[i] = d.value()
		}
		return a
	case tokenMap:
		m := make(map[string]any, t.n)
		for range t.n {
			key := d.next().data
			m[key] = d.value()
		}
		return m
	}
	return nil
}

func (d *decoder) integer(t token[string]) any {
	switch {
	case t.negative || t.bits <= math.MaxInt64:
		return int64(t.bits)
	case d.exact:
		return t.bits
	}
	return float64(t.bits)
}
