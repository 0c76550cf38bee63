package trace

import (
	"fmt"
	"maps"
	"math"
	"slices"
)

// hashStringEnd ends a string in the hashed stream.
const hashStringEnd = 0xff

// HashValue returns the hash of a JSON value (nil, bool, any Go integer or float, string, []any,
// map[string]any) that traces use to identify manifests and pods. It returns an error for any other
// Go type.
func HashValue(v any) (uint64, error) {
	h := newSipHash()
	if err := h.value(v); err != nil {
		return 0, fmt.Errorf("hash a value: %w", err)
	}
	return h.sum(), nil
}

func (h *sipHash) value(v any) error {
	switch v := v.(type) {
	case nil:
		h.uint64(0)
	case bool:
		h.bool(v)
	case float64:
		h.float(v)
	case float32:
		h.float(float64(v))
	case string:
		h.str(v)
		h.byte(hashStringEnd)
	case []any:
		for _, e := range v {
			if err := h.value(e); err != nil {
				return err
			}
		}
	case map[string]any:
		for _, k := range slices.Sorted(maps.Keys(v)) {
			h.str(k)
			h.byte(hashStringEnd)
			if err := h.value(v[k]); err != nil {
				return err
			}
		}
	default:
		i, _, ok := integer(v)
		if !ok {
			return fmt.Errorf("a %T is not a JSON value: %w", v, ErrType)
		}
		h.uint64(i)
	}
	return nil
}

// integer returns the two's complement of a Go integer of any type.
func integer(v any) (bits uint64, negative, ok bool) {
	switch v := v.(type) {
	case int64:
		return uint64(v), v < 0, true
	case int:
		return uint64(v), v < 0, true
	case int32:
		return uint64(v), v < 0, true
	case int16:
		return uint64(v), v < 0, true
	case int8:
		return uint64(v), v < 0, true
	case uint64:
		return v, false, true
	case uint:
		return uint64(v), false, true
	case uint32:
		return uint64(v), false, true
	case uint16:
		return uint64(v), false, true
	case uint8:
		return uint64(v), false, true
	}
	return 0, false, false
}

func (h *sipHash) bool(v bool) {
	if v {
		h.byte(1)
	} else {
		h.byte(0)
	}
}

func (h *sipHash) float(f float64) {
	if f == 0 {
		f = 0 // also for negative zero
	}
	h.uint64(math.Float64bits(f))
}
