package document

import (
	"bytes"
	"encoding/json"
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/tinylib/msgp/msgp"
)

// value returns a random value as JSON decodes it, but with integers.
func value(r *rand.Rand, depth int) any {
	n := r.IntN(9)
	if depth <= 0 {
		n = r.IntN(7)
	}
	switch n {
	case 0:
		return nil
	case 1:
		return r.IntN(2) == 0
	case 2:
		return []int64{0, 1, 127, 128, 255, 256, 1 << 20, 1 << 40, -1, -32, -33, -1 << 20, -1 << 40}[r.IntN(13)]
	case 3:
		return float64(r.IntN(100)) / 8
	case 4, 5, 6:
		return string(bytes.Repeat([]byte{'a' + byte(r.IntN(3))}, []int{0, 1, 5, 31, 32, 300}[r.IntN(6)]))
	case 7:
		list := []any{}
		for range r.IntN(20) {
			list = append(list, value(r, depth-1))
		}
		return list
	}
	m := map[string]any{}
	for range r.IntN(20) {
		m[fmt.Sprint("k", r.IntN(40))] = value(r, depth-1)
	}
	return m
}

// encode appends the canonical msgpack of a value.
func encode(b []byte, v any) []byte {
	switch v := v.(type) {
	case nil:
		return msgp.AppendNil(b)
	case bool:
		return msgp.AppendBool(b, v)
	case int64:
		if v >= 0 {
			return msgp.AppendUint64(b, uint64(v))
		}
		return msgp.AppendInt64(b, v)
	case float64:
		return msgp.AppendFloat64(b, v)
	case string:
		return msgp.AppendString(b, v)
	case []any:
		b = msgp.AppendArrayHeader(b, uint32(len(v)))
		for _, e := range v {
			b = encode(b, e)
		}
		return b
	}
	m := v.(map[string]any)
	b = msgp.AppendMapHeader(b, uint32(len(m)))
	for _, k := range slices.Sorted(maps.Keys(m)) {
		b = encode(msgp.AppendString(b, k), m[k])
	}
	return b
}

// edit makes the same random change to a document and to the equal value. It returns the new value.
func edit(r *rand.Rand, d *Document, n Node, v any) any {
	switch v := v.(type) {
	case map[string]any:
		keys := slices.Sorted(maps.Keys(v))
		if len(keys) == 0 || r.IntN(4) == 0 {
			key := fmt.Sprint("k", r.IntN(60))
			if _, there := v[key]; !there {
				set := value(r, 1)
				d.Set(d.AddField(n, key), encode(nil, set))
				v[key] = set
			}
			return v
		}
		key := keys[r.IntN(len(keys))]
		child := d.Field(n, key)
		switch r.IntN(4) {
		case 0:
			d.Remove(child)
			delete(v, key)
		case 1:
			v[key] = value(r, 2)
			d.Set(child, encode(nil, v[key]))
		default:
			v[key] = edit(r, d, child, v[key])
		}
		return v
	case []any:
		if len(v) == 0 || r.IntN(4) == 0 {
			set := value(r, 1)
			d.Set(d.Append(n), encode(nil, set))
			return append(v, set)
		}
		i := r.IntN(len(v))
		child := d.Element(n, i)
		switch r.IntN(3) {
		case 0:
			d.Remove(child)
			return slices.Delete(v, i, i+1)
		case 1:
			v[i] = value(r, 2)
			d.Set(child, encode(nil, v[i]))
		default:
			v[i] = edit(r, d, child, v[i])
		}
		return v
	}
	return v
}

// TestDocument_Edit edits documents together with the values they were made from, and compares
// them.
func TestDocument_Edit(t *testing.T) {
	d := new(Document)
	for seed := range uint64(3000) {
		r := rand.New(rand.NewPCG(seed, 1))
		v := any(map[string]any{"apiVersion": "v1", "a": value(r, 4), "b": value(r, 4)})
		d.Reset(encode(nil, v))
		for range r.IntN(20) {
			v = edit(r, d, d.Root(), v)
		}
		got, want := d.AppendValue(nil, d.Root()), encode(nil, v)
		if len(got) != len(want) {
			t.Fatalf("seed %d: %d bytes, want %d", seed, len(got), len(want))
		}
		fresh := New(got)
		if !Equal(fresh, fresh.Root(), d, d.Root()) || !Equal(d, d.Root(), fresh, fresh.Root()) {
			t.Fatalf("seed %d: the document is not equal to what it is written as", seed)
		}
		if diff := cmp.Diff(decoded(t, want), decoded(t, got)); diff != "" {
			t.Fatalf("seed %d (-want +got):\n%s", seed, diff)
		}
	}
}

// decoded decodes msgpack to a value as JSON decodes it.
func decoded(t *testing.T, raw []byte) any {
	t.Helper()
	var text bytes.Buffer
	if _, err := msgp.UnmarshalAsJSON(&text, raw); err != nil {
		t.Fatal(err)
	}
	var v any
	if err := json.Unmarshal(text.Bytes(), &v); err != nil {
		t.Fatal(err)
	}
	return v
}

// TestDocument_Canonical checks that fields are added at their position in a canonical manifest.
func TestDocument_Canonical(t *testing.T) {
	b := msgp.AppendMapHeader(nil, 3)
	for _, key := range []string{"kind", "metadata", "spec"} {
		b = msgp.AppendMapHeader(msgp.AppendString(b, key), 0)
	}
	d := New(b)
	for _, key := range []string{"status", "apiVersion", "data", "zone"} {
		d.AddField(d.Root(), key)
	}
	spec := d.Field(d.Root(), "spec")
	for _, key := range []string{"b", "metadata", "a", "kind"} {
		d.AddField(spec, key)
	}
	var got []string
	for n := d.First(d.Root()); n != None; n = d.Next(n) {
		got = append(got, string(d.Key(n)))
	}
	for n := d.First(spec); n != None; n = d.Next(n) {
		got = append(got, d.Path(n))
	}
	want := []string{"apiVersion", "kind", "metadata", "data", "spec", "status", "zone", "spec.a", "spec.b", "spec.kind", "spec.metadata"}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

func TestCompareNumbers(t *testing.T) {
	// Sorted; numbers with the same rank are equal.
	numbers := []struct {
		rank int
		raw  []byte
	}{
		{0, msgp.AppendFloat64(nil, -1e300)},
		{1, msgp.AppendInt64(nil, -1<<63)},
		{1, msgp.AppendFloat64(nil, -1<<63)},
		{2, msgp.AppendInt64(nil, -1)},
		{2, msgp.AppendFloat32(nil, -1)},
		{3, msgp.AppendFloat64(nil, -0.5)},
		{4, msgp.AppendUint64(nil, 0)},
		{4, []byte{mInt64, 0, 0, 0, 0, 0, 0, 0, 0}},
		{4, msgp.AppendFloat64(nil, 0)},
		{5, msgp.AppendFloat64(nil, 0.5)},
		{6, msgp.AppendUint64(nil, 1<<53)},
		{6, msgp.AppendFloat64(nil, 1<<53)},
		{7, msgp.AppendUint64(nil, 1<<53+1)},
		{8, msgp.AppendUint64(nil, 1<<63-1)},
		{9, msgp.AppendUint64(nil, 1<<63)},
		{9, msgp.AppendFloat64(nil, 1<<63)},
		{10, msgp.AppendUint64(nil, 1<<64-1)},
		{11, msgp.AppendFloat64(nil, 1<<64)},
	}
	for _, a := range numbers {
		for _, b := range numbers {
			x, y := New(a.raw), New(b.raw)
			want := order(int64(a.rank), int64(b.rank))
			if got := CompareNumbers(x, x.Root(), y, y.Root()); got != want {
				t.Errorf("%s and %s: got %d, want %d", x.Number(x.Root()), y.Number(y.Root()), got, want)
			}
		}
	}
}

func TestDocument_Binary(t *testing.T) {
	b, s := New(msgp.AppendBytes(nil, []byte("hello"))), New(msgp.AppendString(nil, "aGVsbG8="))
	if !Equal(b, b.Root(), s, s.Root()) || string(b.Text(b.Root())) != "aGVsbG8=" {
		t.Errorf("binary data is %q, want its base64 text", b.Text(b.Root()))
	}
}
