package manifest

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"testing"
	"testing/iotest"

	kjson "k8s.io/apimachinery/pkg/util/json"

	"simkube.io/simkube/trace"
)

// readList reads all of a list.
func readList(r io.Reader) (items []string, list *ListReader, err error) {
	list = NewListReader(r)
	for {
		item, err := list.Next()
		switch {
		case errors.Is(err, io.EOF):
			return items, list, nil
		case err != nil:
			return items, list, err
		}
		items = append(items, string(item))
	}
}

var lists = []struct {
	data    string
	items   []string
	version string
	resume  string
}{
	{data: `{"kind":"PodList","apiVersion":"v1","metadata":{"resourceVersion":"10","continue":"a\u0062","remainingItemCount":3},"items":[{"a":1},{"b":"]}"}]}`, items: []string{`{"a":1}`, `{"b":"]}"}`}, version: "10", resume: "ab"},
	{data: `{"items":[],"metadata":{"resourceVersion":"10"}}` + "\n", version: "10"},
	{data: ` { "items" : [ { "a" : [ { } ] } , { } ] , "kind" : null , "n" : 12 , "metadata" : { "resourceVersion" : "1" } } `, items: []string{`{ "a" : [ { } ] }`, `{ }`}, version: "1"},
	{data: `{"items":null,"metadata":{}}`},
	{data: `{"metadata":null}`},
	{data: `{}`},
	{data: `{"items":[{"x":"\"\\"},{"y":"é😀\\"}]}`, items: []string{`{"x":"\"\\"}`, `{"y":"é😀\\"}`}},
}

func TestListReader(t *testing.T) {
	for _, c := range lists {
		for name, r := range map[string]io.Reader{
			"at once": strings.NewReader(c.data), "byte by byte": iotest.OneByteReader(strings.NewReader(c.data)),
			"error with the data": iotest.DataErrReader(strings.NewReader(c.data)),
		} {
			items, list, err := readList(r)
			if err != nil || !slices.Equal(items, c.items) || list.ResourceVersion() != c.version || list.Continue() != c.resume {
				t.Errorf("%s, %s: got %q, version %q, continue %q, error %v", c.data, name, items, list.ResourceVersion(), list.Continue(), err)
			}
		}
	}
}

func TestListReader_Large(t *testing.T) {
	var data bytes.Buffer
	var want []string
	data.WriteString(`{"items":[`)
	for i := range 3000 {
		if i > 0 {
			data.WriteByte(',')
		}
		item := fmt.Sprintf(`{"i":%d,"text":"%s"}`, i, strings.Repeat("x", i%700*(i%3)))
		if i == 1000 {
			item = `{"text":"` + strings.Repeat(`\"`, 3*listWindow) + `"}`
		}
		want = append(want, item)
		data.WriteString(item)
	}
	data.WriteString(`],"metadata":{"resourceVersion":"7"}}`)
	items, list, err := readList(iotest.HalfReader(&data))
	if err != nil || !slices.Equal(items, want) || list.ResourceVersion() != "7" {
		t.Errorf("got %d items, version %q, error %v; want %d items", len(items), list.ResourceVersion(), err, len(want))
	}
	if limit := 16 * listWindow; cap(list.buf) > limit {
		t.Errorf("the window grew to %d bytes, want at most %d", cap(list.buf), limit)
	}
}

func TestListReader_Errors(t *testing.T) {
	for _, c := range []struct {
		data   string
		offset int
		class  error
	}{
		{``, 0, ErrSyntax},
		{`[]`, 0, ErrSyntax},
		{`{"items":[{"a":1}`, 17, ErrSyntax},
		{`{"items":[{"a":1},`, 18, ErrSyntax},
		{`{"items":[{"a":1} {}]}`, 18, ErrSyntax},
		{`{"items":[1]}`, 10, trace.ErrType},
		{`{"items":{}}`, 9, trace.ErrType},
		{`{"items":[]}}`, 12, ErrSyntax},
		{`{"items":[],"metadata":{"resourceVersion":5}}`, 42, trace.ErrType},
		{`{"items":[],"kind":nul}`, 19, ErrSyntax},
		{`{"items":[],"kind":nullx}`, 23, ErrSyntax},
		{`{"items":[] "kind":1}`, 12, ErrSyntax},
	} {
		_, list, err := readList(strings.NewReader(c.data))
		var located *Error
		if !errors.As(err, &located) || located.Offset != c.offset || !errors.Is(err, c.class) {
			t.Errorf("%s: got the error %v, want one at byte %d: %v", c.data, err, c.offset, c.class)
		}
		if _, again := list.Next(); !errors.Is(again, err) {
			t.Errorf("%s: the next Next gave %v", c.data, again)
		}
	}
	broken := errors.New("connection reset")
	if _, _, err := readList(io.MultiReader(strings.NewReader(`{"items":[{}`), iotest.ErrReader(broken))); !errors.Is(err, broken) {
		t.Errorf("got the error %v, want %v", err, broken)
	}
}

func FuzzListReader(f *testing.F) {
	for _, c := range lists {
		f.Add([]byte(c.data))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		items, list, err := readList(bytes.NewReader(data))
		again, _, errAgain := readList(iotest.OneByteReader(bytes.NewReader(data)))
		if !slices.Equal(items, again) || (err == nil) != (errAgain == nil) || err != nil && err.Error() != errAgain.Error() {
			t.Errorf("in one piece: %q, %v; byte by byte: %q, %v", items, err, again, errAgain)
		}
		var want struct {
			Metadata struct {
				ResourceVersion string `json:"resourceVersion"`
				Continue        string `json:"continue"`
			} `json:"metadata"`
			Items []json.RawMessage `json:"items"`
		}
		tree, duplicates, _ := decode(data)
		if tree == nil || duplicates || kjson.Unmarshal(data, &want) != nil {
			return
		}
		if errors.Is(err, trace.ErrTooDeep) || errors.Is(err, trace.ErrType) || errors.Is(err, trace.ErrValue) {
			return // an item that is no object, or a null in the metadata
		}
		if err != nil || len(items) != len(want.Items) || list.ResourceVersion() != want.Metadata.ResourceVersion || list.Continue() != want.Metadata.Continue {
			t.Fatalf("got %q, %v, want %q", items, err, want.Items)
		}
		for i := range items {
			if items[i] != string(want.Items[i]) {
				t.Errorf("item %d: got %q, want %q", i, items[i], want.Items[i])
			}
		}
	})
}

func BenchmarkListReader(b *testing.B) {
	pod := fixture(b, "pod.json")
	data := []byte(`{"kind":"PodList","metadata":{"resourceVersion":"1"},"items":[` + strings.Repeat(string(pod)+",", 500) + string(pod) + `]}`)
	b.SetBytes(int64(len(data)))
	b.ReportAllocs()
	for b.Loop() {
		list := NewListReader(bytes.NewReader(data))
		var err error
		for err == nil {
			_, err = list.Next()
		}
		if !errors.Is(err, io.EOF) {
			b.Fatal(err)
		}
	}
}
