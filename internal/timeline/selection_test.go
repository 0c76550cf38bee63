package timeline

import (
	"context"
	"errors"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"simkube.io/simkube/internal/bigtrace"
	"simkube.io/simkube/trace"
)

// selected returns all places that a filter selects.
func selected(t *testing.T, f *File, filter Filter, from int) (places []Place) {
	t.Helper()
	s, err := f.Select(filter, from)
	if err != nil {
		t.Fatal(err)
	}
	for p, err := range s.All(t.Context()) {
		if err != nil {
			t.Fatal(err)
		}
		places = append(places, p)
	}
	return places
}

// TestFile_Select compares the results of filters with a check of every object.
func TestFile_Select(t *testing.T) {
	isPod := func(k Key, _ Change) bool { return k.GVK.Kind == "Pod" }
	tests := []struct {
		name   string
		filter Filter
		want   func(k Key, c Change) bool // nil for a filter that reads manifests
	}{
		{"everything", Filter{}, func(Key, Change) bool { return true }},
		{"a kind", Filter{Kinds: []string{"Pod"}}, isPod},
		{"a kind in lower case", Filter{Kinds: []string{"pod"}}, isPod},
		{"a kind with its version", Filter{Kinds: []string{"v1.Pod"}}, isPod},
		{"a kind with another version", Filter{Kinds: []string{"v2.Pod"}}, func(Key, Change) bool { return false }},
		{"two kinds", Filter{Kinds: []string{"Pod", "apps/v1.Deployment"}}, func(k Key, c Change) bool { return isPod(k, c) || k.GVK.Kind == "Deployment" }},
		{"a namespace", Filter{Namespaces: []string{"team-03"}}, func(k Key, _ Change) bool { return k.Namespace == "team-03" }},
		{"cluster-scoped", Filter{Namespaces: []string{""}}, func(k Key, _ Change) bool { return k.Namespace == "" }},
		{"a part of a name", Filter{Name: "b-0"}, func(k Key, _ Change) bool { return strings.Contains(k.Name, "b-0") }},
		{"a pattern", Filter{Name: "*-?0"}, func(k Key, _ Change) bool {
			return strings.HasSuffix(k.Name, "0") && strings.Index(k.Name, "-") == len(k.Name)-3
		}},
		{"changes", Filter{Changes: []Change{Created, Deleted}}, func(_ Key, c Change) bool { return c == Created || c == Deleted }},
		{"kind and change", Filter{Kinds: []string{"Pod"}, Changes: []Change{Unchanged}}, func(k Key, c Change) bool { return isPod(k, c) && c == Unchanged }},
		{"a text", Filter{Text: "LOAD test"}, nil},
		{"a text that is nowhere", Filter{Text: "qwertyuiop"}, nil},
		{"a number", Filter{Text: "31"}, nil},
		{"a text in a kind", Filter{Text: "image", Kinds: []string{"Deployment"}}, nil},
		{"a match", Filter{Match: func(_ int64, obj *trace.Object) (bool, error) { return obj.Spec() == nil, nil }}, nil},
		{"a text and a match", Filter{Text: "team-0", Match: func(time int64, _ *trace.Object) (bool, error) { return time%2 == 0, nil }}, nil},
	}
	eachTrace(t, func(t *testing.T, path string) {
		f := open(t, path)
		m, whole := newModel(t, path)
		for _, test := range tests {
			t.Run(test.name, func(t *testing.T) {
				var want []Place
				for _, infos := range m.infos {
					for _, info := range infos {
						if test.want != nil && test.want(info.Key, info.Change) || test.want == nil && looksLike(t, whole, info, test.filter) {
							want = append(want, info.Place)
						}
					}
				}
				if diff := cmp.Diff(want, selected(t, f, test.filter, 0)); diff != "" {
					t.Errorf("places (-want +got):\n%s", diff)
				}
				half := f.Len() / 2
				want = slices.DeleteFunc(want, func(p Place) bool { return p.Event < half })
				if got := selected(t, f, test.filter, half); !slices.Equal(want, got) {
					t.Errorf("from event %d: got %d places, want %d", half, len(got), len(want))
				}
			})
		}
	})
}

// looksLike reports whether an object matches a filter's kinds, text and match.
func looksLike(t *testing.T, whole *trace.Trace, info modelInfo, filter Filter) bool {
	t.Helper()
	e := &whole.Events[info.Place.Event]
	obj := objectIn(e, info.Place)
	if len(filter.Kinds) > 0 && !slices.Contains(filter.Kinds, obj.GVK().Kind) {
		return false
	}
	u, err := obj.Unstructured()
	if err != nil {
		t.Fatal(err)
	}
	if filter.Text != "" && !textIn(u.Object, strings.ToLower(filter.Text)) {
		return false
	}
	if filter.Match == nil {
		return true
	}
	ok, err := filter.Match(e.Time, obj)
	return ok && err == nil
}

// TestSelection_Growing selects while the index grows, also from an event that is not indexed yet.
func TestSelection_Growing(t *testing.T) {
	path := filepath.Join(t.TempDir(), "made.sktrace")
	if err := bigtrace.Write(path, bigtrace.Options{Events: 20_000, Objects: 300}); err != nil {
		t.Fatal(err)
	}
	filter := Filter{Namespaces: []string{"team-05"}, Text: "spec"}
	want := selected(t, open(t, path), filter, 0)
	if got := selected(t, begin(t, path), filter, 0); !slices.Equal(want, got) || len(want) == 0 {
		t.Errorf("got %d places, want %d", len(got), len(want))
	}
	const late = 19_000
	want = slices.DeleteFunc(want, func(p Place) bool { return p.Event < late })
	if got := selected(t, begin(t, path), filter, late); !slices.Equal(want, got) || len(want) == 0 {
		t.Errorf("late: got %d places, want %d", len(got), len(want))
	}
	if got := selected(t, begin(t, path), filter, 1<<30); got != nil {
		t.Errorf("behind the end: got %d places", len(got))
	}
}

func TestSelection_Errors(t *testing.T) {
	f := open(t, "../../examples/day.sktrace")
	t.Run("a pattern", func(t *testing.T) {
		if _, err := f.Select(Filter{Name: "web-["}, 0); err == nil || !strings.Contains(err.Error(), "web-[") {
			t.Errorf("got the error %v", err)
		}
	})
	t.Run("of Match", func(t *testing.T) {
		wrong := errors.New("replicas is no number")
		s, err := f.Select(Filter{Match: func(int64, *trace.Object) (bool, error) { return false, wrong }}, 0)
		if err != nil {
			t.Fatal(err)
		}
		for range 2 {
			if _, _, err := s.Next(t.Context()); !errors.Is(err, wrong) {
				t.Errorf("got the error %v", err)
			}
		}
	})
	t.Run("cancelled and resumed", func(t *testing.T) {
		ctx, cancel := context.WithCancel(t.Context())
		seen := 0
		filter := Filter{Match: func(int64, *trace.Object) (bool, error) {
			if seen++; seen == 300 {
				cancel()
			}
			return true, nil
		}}
		s, err := f.Select(filter, 0)
		if err != nil {
			t.Fatal(err)
		}
		places, _, err := s.Next(ctx)
		if !errors.Is(err, context.Canceled) {
			t.Fatalf("got the error %v", err)
		}
		for p, err := range s.All(t.Context()) {
			if err != nil {
				t.Fatal(err)
			}
			places = append(places, p)
		}
		if want := selected(t, f, Filter{}, 0); !slices.Equal(want, places) {
			t.Errorf("got %d places, want %d", len(places), len(want))
		}
	})
	t.Run("cancelled while waiting", func(t *testing.T) {
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		s, err := f.Select(Filter{}, 0)
		if err != nil {
			t.Fatal(err)
		}
		var got error
		for _, err := range s.All(ctx) {
			got = err
		}
		if !errors.Is(got, context.Canceled) {
			t.Errorf("got the error %v", got)
		}
	})
}

func TestFilter_Empty(t *testing.T) {
	if f := (Filter{}); !f.Empty() {
		t.Error("the zero filter is not empty")
	}
	for name, f := range map[string]Filter{
		"kinds": {Kinds: []string{"Pod"}}, "namespaces": {Namespaces: []string{""}}, "name": {Name: "a"}, "text": {Text: "a"},
		"changes": {Changes: []Change{Created}}, "match": {Match: func(int64, *trace.Object) (bool, error) { return true, nil }},
	} {
		if f.Empty() {
			t.Errorf("a filter by %s is empty", name)
		}
	}
}
