package timeline

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"simkube.io/simkube/trace"
)

// model is a simple form of the index, made from a trace in memory.
type model struct {
	infos   [][]modelInfo // by event
	history map[Key][]Place
}

type modelInfo struct {
	Key    Key
	Place  Place
	Change Change
}

func newModel(t *testing.T, path string) (*model, *trace.Trace) {
	t.Helper()
	whole, err := trace.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	m := &model{history: map[Key][]Place{}}
	manifests := map[Key]string{}
	for i := range whole.Events {
		var infos []modelInfo
		note := func(obj *trace.Object, p Place, change Change) {
			key := Key{GVK: obj.GVK(), Namespace: obj.Namespace(), Name: obj.Name()}
			infos = append(infos, modelInfo{key, p, change})
			m.history[key] = append(m.history[key], p)
		}
		for j := range whole.Events[i].Applied {
			obj := &whole.Events[i].Applied[j]
			key := Key{GVK: obj.GVK(), Namespace: obj.Namespace(), Name: obj.Name()}
			change := Changed
			if before, ok := manifests[key]; !ok {
				change = Created
			} else if before == string(obj.Raw()) {
				change = Unchanged
			}
			manifests[key] = string(obj.Raw())
			note(obj, Place{Event: i, Index: j}, change)
		}
		for j := range whole.Events[i].Deleted {
			obj := &whole.Events[i].Deleted[j]
			delete(manifests, Key{GVK: obj.GVK(), Namespace: obj.Namespace(), Name: obj.Name()})
			note(obj, Place{Event: i, Index: j, Deleted: true}, Deleted)
		}
		m.infos = append(m.infos, infos)
	}
	return m, whole
}

func TestFile_Objects(t *testing.T) {
	eachTrace(t, func(t *testing.T, path string) {
		f := open(t, path)
		want, _ := newModel(t, path)
		for i := range want.infos {
			var got []modelInfo
			changes := 0
			for _, o := range f.Objects(i) {
				got = append(got, modelInfo{f.Object(o.Object), o.Place, o.Change})
				if o.Change != Unchanged {
					changes++
				}
				if at, ok := f.ObjectAt(o.Place); !ok || at != o {
					t.Fatalf("object at %+v: got %+v", o.Place, at)
				}
			}
			if diff := cmp.Diff(want.infos[i], got); diff != "" {
				t.Fatalf("event %d (-want +got):\n%s", i, diff)
			}
			if got := f.Info(i).Changes; got != changes {
				t.Fatalf("event %d: got %d changes, want %d", i, got, changes)
			}
		}
	})
}

func TestFile_History(t *testing.T) {
	eachTrace(t, func(t *testing.T, path string) {
		f := open(t, path)
		want, _ := newModel(t, path)
		if f.Distinct() != len(want.history) {
			t.Fatalf("distinct objects: got %d, want %d", f.Distinct(), len(want.history))
		}
		for key, places := range want.history {
			id, ok := f.Find(key)
			if !ok || f.Object(id) != key {
				t.Fatalf("%s: found %t, as %s", key, ok, f.Object(id))
			}
			if diff := cmp.Diff(places, f.History(id)); diff != "" {
				t.Fatalf("history of %s (-want +got):\n%s", key, diff)
			}
			if got := f.Versions(id); got != len(places) {
				t.Errorf("versions of %s: got %d, want %d", key, got, len(places))
			}
			checkNeighbours(t, f, places)
		}
	})
}

func checkNeighbours(t *testing.T, f *File, places []Place) {
	t.Helper()
	for i, p := range places {
		previous, ok := f.Previous(p)
		if ok != (i > 0) || ok && previous != places[i-1] {
			t.Errorf("previous of %+v: got %+v %t", p, previous, ok)
		}
		next, ok := f.Next(p)
		if ok != (i+1 < len(places)) || ok && next != places[i+1] {
			t.Errorf("next of %+v: got %+v %t", p, next, ok)
		}
		if i > 0 && places[i-1].Compare(p) >= 0 {
			t.Errorf("%+v is not after %+v", p, places[i-1])
		}
	}
}

func TestFile_FindNothing(t *testing.T) {
	f := open(t, "../../examples/first-steps.sktrace")
	there := f.Object(0)
	for name, change := range map[string]func(*Key){
		"kind":      func(k *Key) { k.GVK.Kind = "Nothing" },
		"namespace": func(k *Key) { k.Namespace = "nowhere" },
		"name":      func(k *Key) { k.Name = "nobody" },
	} {
		key := there
		change(&key)
		if id, ok := f.Find(key); ok {
			t.Errorf("another %s: found object %d", name, id)
		}
	}
}
