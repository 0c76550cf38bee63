package timeline

import (
	"testing"
)

const dayTrace = "../../examples/day.sktrace"

// open opens a trace and waits for its index.
func open(t testing.TB, path string) *File {
	t.Helper()
	f, err := Open(t.Context(), path, Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := f.Close(); err != nil {
			t.Error(err)
		}
	})
	if err := f.Wait(t.Context()); err != nil {
		t.Fatal(err)
	}
	return f
}

func TestFile_Smoke(t *testing.T) {
	f := open(t, dayTrace)
	t.Logf("%+v", f.Progress())
	for _, k := range f.Kinds() {
		t.Logf("%+v", k)
	}
	t.Logf("%+v", f.Namespaces())
	a, b, _ := f.Span()
	t.Log(a, b, f.Activity(a, b+1, 40), f.At(a+3600))
	t.Logf("%+v", f.Info(3))
	for _, o := range f.Objects(3) {
		t.Logf("%+v %s", o, f.Object(o.Object))
		t.Log(f.Previous(o.Place))
		t.Log(f.Next(o.Place))
		t.Log(f.Owner(o.Place))
	}
	s, err := f.Select(Filter{Text: "IMAGE", Kinds: []string{"deployment"}}, 0)
	if err != nil {
		t.Fatal(err)
	}
	n := 0
	for _, err := range s.All(t.Context()) {
		if err != nil {
			t.Fatal(err)
		}
		n++
	}
	t.Log(n)
	for _, o := range f.Owners()[:3] {
		t.Log(o, len(f.Lifecycles(o)))
	}
}
