package trace

import (
	"encoding/binary"
	"errors"
	"math"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// TestSipHash compares with the default hasher of Rust's standard library, which is also
// SipHash-1-3 with a key of zero.
func TestSipHash(t *testing.T) {
	empty := newSipHash()
	if got, want := empty.sum(), uint64(15130871412783076140); got != want {
		t.Errorf("hash of nothing: got %d, want %d", got, want)
	}
}

// TestSipHash_Pieces hashes the same bytes in pieces of all sizes.
func TestSipHash_Pieces(t *testing.T) {
	message := make([]byte, 64)
	for i := range message {
		message[i] = byte(i * 37)
	}
	for size := range len(message) + 1 {
		want := newSipHash()
		for _, b := range message[:size] {
			want.byte(b)
		}
		wantSum := want.sum()
		for cut := range size + 1 {
			h := newSipHash()
			h.bytes(message[:cut])
			h.str(string(message[cut:size]))
			if got := h.sum(); got != wantSum {
				t.Errorf("%d and %d bytes: got %d, want %d", cut, size-cut, got, wantSum)
			}
			if size-cut < 8 {
				continue
			}
			h = newSipHash()
			h.bytes(message[:cut])
			h.uint64(binary.LittleEndian.Uint64(message[cut:]))
			h.bytes(message[cut+8 : size])
			if got := h.sum(); got != wantSum {
				t.Errorf("%d bytes, a word and %d bytes: got %d, want %d", cut, size-cut-8, got, wantSum)
			}
		}
	}
}

func mustHash(t *testing.T, v any) uint64 {
	t.Helper()
	h, err := HashValue(v)
	if err != nil {
		t.Fatal(err)
	}
	return h
}

// TestHashValue checks the hashed stream for each type of value.
func TestHashValue(t *testing.T) {
	word := func(v uint64) string { return string(binary.LittleEndian.AppendUint64(nil, v)) }
	tests := []struct {
		name  string
		value any
		want  string
	}{
		{"null", nil, word(0)},
		{"true", true, "\x01"},
		{"false", false, "\x00"},
		{"integer", 258, word(258)},
		{"negative", int64(-1), word(math.MaxUint64)},
		{"unsigned", uint64(math.MaxUint64), word(math.MaxUint64)},
		{"float", 1.5, word(math.Float64bits(1.5))},
		{"zero", 0.0, word(0)},
		{"negative zero", math.Copysign(0, -1), word(0)},
		{"string", "wéb", "wéb\xff"},
		{"empty string", "", "\xff"},
		{"array", []any{"a", true}, "a\xff\x01"},
		{"empty array", []any{}, ""},
		{"object", map[string]any{"b": "x", "a": []any{}, "B": nil}, "B\xff" + word(0) + "a\xffb\xffx\xff"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			h := newSipHash()
			h.str(test.want)
			want := h.sum()
			if got := mustHash(t, test.value); got != want {
				t.Errorf("got %d, want %d", got, want)
			}
			for _, sorted := range []bool{true, false} {
				if got := hashMsgpack(pack(test.value), sorted); got != want {
					t.Errorf("of the bytes: got %d, want %d", got, want)
				}
			}
		})
	}
	t.Run("other types", func(t *testing.T) {
		if _, err := HashValue([]any{map[string]any{"a": struct{}{}}}); !errors.Is(err, ErrType) {
			t.Errorf("got %v, want %v", err, ErrType)
		}
	})
}

// TestHashMsgpack_Unsorted hashes nested maps whose keys are all unsorted. The time must not double
// with each level.
func TestHashMsgpack_Unsorted(t *testing.T) {
	var packed any = 1
	var value any = 1
	for range MaxDepth - objectDepth - 2 {
		packed = ordered{"b", 1, "a", packed}
		value = map[string]any{"b": 1, "a": value}
	}
	obj := objectOf(t, podManifest.with("spec", packed))
	if got, want := obj.Hash(), mustHash(t, value); got != want {
		t.Errorf("got %d, want %d", got, want)
	}
}

func TestHashPodSpec(t *testing.T) {
	spec := func() map[string]any {
		return map[string]any{
			"containers": []any{
				map[string]any{
					"name": "main", "ports": []any{map[string]any{"containerPort": int64(80)}},
					"volumeMounts": []any{map[string]any{"name": "kube-api-access-abcde"}, map[string]any{"name": "data"}},
				},
				map[string]any{"name": "other"},
			},
			"initContainers": []any{map[string]any{
				"name": "init", "ports": []any{}, "volumeMounts": []any{map[string]any{"name": "kube-api-access-abcde"}},
			}},
			"nodeName": "n", "serviceAccount": "a", "serviceAccountName": "a", "priority": int64(0),
			"volumes": []any{map[string]any{"name": "data"}, map[string]any{"name": "kube-api-access-abcde"}},
		}
	}
	stable := map[string]any{
		"containers": []any{
			map[string]any{"name": "main", "volumeMounts": []any{map[string]any{"name": "data"}}},
			map[string]any{"name": "other", "volumeMounts": []any{}},
		},
		"initContainers": []any{map[string]any{"name": "init", "ports": []any{}, "volumeMounts": []any{}}},
		"priority":       int64(0), "volumes": []any{map[string]any{"name": "data"}},
	}
	in := spec()
	got, err := HashPodSpec(in)
	if err != nil {
		t.Fatal(err)
	}
	if want := mustHash(t, stable); got != want {
		t.Errorf("got %d, want %d", got, want)
	}
	if diff := cmp.Diff(spec(), in); diff != "" {
		t.Errorf("the spec was changed (-want +got):\n%s", diff)
	}
	t.Run("empty", func(t *testing.T) {
		got, err := HashPodSpec(nil)
		if want := mustHash(t, map[string]any{"volumes": []any{}}); err != nil || got != want {
			t.Errorf("got %d, %v, want %d", got, err, want)
		}
	})
	for name, wrong := range map[string]map[string]any{
		"volumes":    {"volumes": "x"},
		"containers": {"containers": map[string]any{}},
		"container":  {"containers": []any{"x"}},
		"mounts":     {"initContainers": []any{map[string]any{"volumeMounts": 1}}},
	} {
		t.Run(name, func(t *testing.T) {
			if _, err := HashPodSpec(wrong); !errors.Is(err, ErrType) {
				t.Errorf("got %v, want %v", err, ErrType)
			}
		})
	}
}
