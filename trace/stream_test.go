package trace

import (
	"bytes"
	"cmp"
	"errors"
	"fmt"
	"io"
	"iter"
	"maps"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"testing"

	gocmp "github.com/google/go-cmp/cmp"
	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/apimachinery/pkg/runtime/schema"
)

var _ labels.Labels = Labels{}

func TestParseObject(t *testing.T) {
	data := pack(podManifest)
	obj, err := ParseObject(data)
	if err != nil {
		t.Fatal(err)
	}
	if got := FormatGVK(obj.GVK()) + " " + obj.NamespacedName(); got != "v1.Pod batch/lone" {
		t.Errorf("got %s, want v1.Pod batch/lone", got)
	}
	checkObject(t, &obj)
	var parser ObjectParser // reused after an error
	for _, manifest := range []ordered{podManifest, {"kind"}, strangeManifest, {"kind", "x"}, podManifest, roleManifest} {
		got, err := parser.Parse(pack(manifest))
		want, wantErr := ParseObject(pack(manifest))
		if fmt.Sprint(err) != fmt.Sprint(wantErr) || err == nil && !gocmp.Equal(got, want, sameTrace()) {
			t.Errorf("%v: got %v, %v, want %v, %v", manifest, got, err, want, wantErr)
		}
	}
	for name, test := range map[string]struct {
		data []byte
		want string
	}{
		"bytes after it": {append(data, 0), fmt.Sprintf("byte %d: 1 bytes follow the object", len(data))},
		"no name":        {pack(podManifest.with("metadata", ordered{})), "metadata: the key \"name\" is missing"},
	} {
		if _, err := ParseObject(test.data); err == nil || !bytes.HasSuffix([]byte(err.Error()), []byte(test.want)) {
			t.Errorf("%s: got %v, want %s", name, err, test.want)
		}
	}
}

func TestNewDeleted(t *testing.T) {
	for _, name := range []string{"default/web", "web"} {
		obj, err := NewDeleted(deploymentKind, name)
		if err != nil {
			t.Fatal(err)
		}
		if !bytes.Equal(mustDeleted(t, &obj), obj.Raw()) || obj.NamespacedName() != name || obj.GVK() != deploymentKind {
			t.Errorf("got %s %s: %q", FormatGVK(obj.GVK()), obj.NamespacedName(), obj.Raw())
		}
	}
	if _, err := NewDeleted(schema.GroupVersionKind{Version: "v1"}, "x"); !errors.Is(err, ErrValue) {
		t.Errorf("without a kind: got %v, want %v", err, ErrValue)
	}
}

func TestObject_Labels(t *testing.T) {
	for name, test := range map[string]struct {
		metadata ordered
		want     map[string]string
	}{
		"none":      {ordered{"name", "x"}, map[string]string{}},
		"null":      {ordered{"name", "x", "labels", nil}, map[string]string{}},
		"empty":     {ordered{"labels", ordered{}, "name", "x"}, map[string]string{}},
		"a list":    {ordered{"labels", []any{"a"}, "name", "x"}, map[string]string{}},
		"some":      {ordered{"labels", ordered{"app", "web", "tier", ""}, "name", "x"}, map[string]string{"app": "web", "tier": ""}},
		"no string": {ordered{"labels", ordered{"app", ordered{"app", "y"}, "tier", "db"}, "name", "x"}, map[string]string{"tier": "db"}},
	} {
		t.Run(name, func(t *testing.T) {
			obj := objectOf(t, podManifest.with("metadata", test.metadata))
			got := obj.Labels()
			if diff := gocmp.Diff(test.want, got.Map()); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
			for _, label := range []string{"app", "tier", "x", ""} {
				value, ok := got.Lookup(label)
				if want, wantOK := test.want[label]; value != want || ok != wantOK || got.Has(label) != wantOK || got.Get(label) != want {
					t.Errorf("%q: got %q, %t, want %q, %t", label, value, ok, want, wantOK)
				}
			}
		})
	}
}

// streamEvents writes the events of a trace one object at a time.
func streamEvents(w *Writer, tr *Trace) error {
	objects := func(list []Object) ObjectStream {
		return ObjectStream{Count: len(list), Objects: func(yield func(*Object, error) bool) {
			for i := range list {
				if !yield(&list[i], nil) {
					return
				}
			}
		}}
	}
	for i := range tr.Events {
		e := &tr.Events[i]
		if err := w.WriteEventStream(&EventStream{Time: e.Time, Applied: objects(e.Applied), Deleted: objects(e.Deleted)}); err != nil {
			return err
		}
	}
	return nil
}

func TestWriter_WriteEventStream(t *testing.T) {
	tr := mustRead(t, fixtures()["extension"])
	tr.Events = append(tr.Events, Event{Time: tr.Events[2].Time, Applied: slices.Repeat(tr.Events[0].Applied, 500), Deleted: slices.Repeat(tr.Events[0].Applied, 300)})
	want := mustWrite(t, tr)
	for _, opts := range []WriterOptions{{SpoolDir: t.TempDir()}, {Events: len(tr.Events), Extension: true}} {
		var b bytes.Buffer
		w, err := NewWriter(&b, &tr.Config, opts)
		if err != nil {
			t.Fatal(err)
		}
		defer w.Close()
		if err := streamEvents(w, tr); err != nil {
			t.Fatal(err)
		}
		if got := w.Events(); got != len(tr.Events) {
			t.Errorf("events: got %d, want %d", got, len(tr.Events))
		}
		if err := w.Finish(&Tail{Index: tr.Index, Lifecycles: tr.Lifecycles, Extension: tr.Extension}); err != nil {
			t.Fatal(err)
		}
		if !bytes.Equal(b.Bytes(), want) {
			t.Errorf("%+v: other bytes than those of WriteEvent", opts)
		}
	}
}

func TestWriter_WriteEventStream_Refused(t *testing.T) {
	tr := mustRead(t, fixtures()["v2"])
	one := func(yield func(*Object, error) bool) { yield(&tr.Events[0].Applied[0], nil) }
	for name, test := range map[string]struct {
		event EventStream
		want  error
	}{
		"too few":     {EventStream{Applied: ObjectStream{Count: 2, Objects: one}}, ErrCount},
		"too many":    {EventStream{Deleted: ObjectStream{Count: 0, Objects: one}}, ErrCount},
		"negative":    {EventStream{Deleted: ObjectStream{Count: -1}}, ErrCount},
		"none":        {EventStream{Applied: ObjectStream{Count: 1}}, ErrCount},
		"zero object": {EventStream{Applied: ObjectStream{Count: 1, Objects: func(yield func(*Object, error) bool) { yield(&Object{}, nil) }}}, ErrValue},
		"error":       {EventStream{Applied: ObjectStream{Count: 1, Objects: func(yield func(*Object, error) bool) { yield(nil, errDiskFull) }}}, errDiskFull},
	} {
		t.Run(name, func(t *testing.T) {
			w, err := NewWriter(new(bytes.Buffer), &tr.Config, WriterOptions{SpoolDir: t.TempDir()})
			if err != nil {
				t.Fatal(err)
			}
			defer w.Close()
			if err := w.WriteEventStream(&test.event); !errors.Is(err, test.want) {
				t.Errorf("got %v, want %v", err, test.want)
			}
			if err := w.Finish(&Tail{}); !errors.Is(err, test.want) {
				t.Errorf("afterwards: got %v, want %v", err, test.want)
			}
		})
	}
	t.Run("time goes back", func(t *testing.T) {
		w, err := NewWriter(new(bytes.Buffer), &tr.Config, WriterOptions{SpoolDir: t.TempDir()})
		if err != nil {
			t.Fatal(err)
		}
		defer w.Close()
		if err := errors.Join(w.WriteEventStream(&EventStream{Time: 5}), w.WriteEventStream(&EventStream{Time: 5})); err != nil {
			t.Fatal(err)
		}
		if err := w.WriteEventStream(&EventStream{Time: 4}); !errors.Is(err, ErrOrder) {
			t.Errorf("got %v, want %v", err, ErrOrder)
		}
	})
}

// streamOf returns a tail as a TailStream.
func streamOf(tail *Tail) *TailStream {
	var index []IndexEntry
	for gvk, names := range tail.Index {
		for name, hash := range names {
			index = append(index, IndexEntry{gvk, name, hash})
		}
	}
	slices.SortFunc(index, func(a, b IndexEntry) int {
		return cmp.Or(cmp.Compare(FormatGVK(a.GVK), FormatGVK(b.GVK)), cmp.Compare(a.Name, b.Name))
	})
	var lifecycles []LifecycleEntry
	for _, owner := range slices.SortedFunc(maps.Keys(tail.Lifecycles), comparePodOwners) {
		for _, hash := range slices.Sorted(maps.Keys(tail.Lifecycles[owner])) {
			for _, l := range tail.Lifecycles[owner][hash] {
				lifecycles = append(lifecycles, LifecycleEntry{owner, hash, l})
			}
		}
	}
	stream := &TailStream{Index: sequence(index), Lifecycles: sequence(lifecycles)}
	if tail.Extension != nil {
		stream.Extension = func(w io.Writer) error {
			_, err := w.Write(tail.Extension)
			return err
		}
	}
	return stream
}

// randomTail returns a tail without empty parts, which a stream cannot have.
func randomTail(r *rand.Rand) *Tail {
	kinds := []schema.GroupVersionKind{podKind, deploymentKind, {Group: "a.b", Version: "v1", Kind: "C"}, {Group: "a-b", Version: "v1", Kind: "C"}, {Group: "a", Version: "v1beta1", Kind: "B"}}
	number := func(most int) int { return int(float64(most) * r.ExpFloat64() / 3) }
	tail := &Tail{Index: Index{}, Lifecycles: Lifecycles{}}
	for _, gvk := range kinds[:r.IntN(len(kinds)+1)] {
		for range number(100) {
			tail.Index.set(gvk, fmt.Sprintf("%x/%x", r.IntN(8), r.IntN(1000)), r.Uint64())
		}
		for range number(30) {
			pods := map[uint64][]Lifecycle{}
			for range 1 + number(3) {
				var list []Lifecycle
				for range 1 + number(300) {
					state := LifecycleState(r.IntN(3))
					l := Lifecycle{State: state}
					if state != Empty {
						l.Start = r.Int64N(1e10)
					}
					if state == Finished {
						l.End = r.Int64N(1e10)
					}
					list = append(list, l)
				}
				pods[r.Uint64()>>r.IntN(64)] = list
			}
			tail.Lifecycles[PodOwner{gvk, fmt.Sprintf("%x/%x", r.IntN(8), r.IntN(1000))}] = pods
		}
	}
	if r.IntN(2) == 0 {
		tail.Extension = pack(extensionFields)
	}
	return tail
}

// TestWriter_FinishStream checks that FinishStream writes the same bytes as Finish.
func TestWriter_FinishStream(t *testing.T) {
	tr := mustRead(t, fixtures()["v2"])
	for seed := range uint64(60) {
		tail := randomTail(rand.New(rand.NewPCG(seed, 0)))
		tr.Index, tr.Lifecycles, tr.Extension = tail.Index, tail.Lifecycles, tail.Extension
		want := mustWrite(t, tr)
		path := filepath.Join(t.TempDir(), "a.sktrace")
		w, err := Create(path, &tr.Config, WriterOptions{})
		if err != nil {
			t.Fatal(err)
		}
		defer w.Close()
		if err := streamEvents(&w.Writer, tr); err != nil {
			t.Fatal(err)
		}
		if err := w.FinishStream(streamOf(tail)); err != nil {
			t.Fatal(err)
		}
		got, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		if !bytes.Equal(got, want) {
			t.Errorf("seed %d: other bytes than those of Finish", seed)
		}
		if err := w.Close(); err != nil {
			t.Fatal(err)
		}
		onlyFile(t, filepath.Dir(path), "a.sktrace")
	}
}

func TestWriter_FinishStream_Refused(t *testing.T) {
	index := func(list ...IndexEntry) *TailStream { return &TailStream{Index: sequence(list)} }
	lifecycles := func(list ...LifecycleEntry) *TailStream { return &TailStream{Lifecycles: sequence(list)} }
	extension := func(b ...byte) *TailStream {
		return &TailStream{Extension: func(w io.Writer) error { _, err := w.Write(b); return err }}
	}
	pod := func(name string, hash uint64) LifecycleEntry {
		return LifecycleEntry{PodOwner{podKind, name}, hash, Lifecycle{}}
	}
	type walks = [][]LifecycleEntry
	changing := func(w walks) *TailStream {
		return &TailStream{Lifecycles: func(yield func(LifecycleEntry, error) bool) {
			list := w[0]
			w = w[1:]
			sequence(list)(yield)
		}}
	}
	changingIndex := func(first, second []IndexEntry) *TailStream {
		n := 0
		return &TailStream{Index: func(yield func(IndexEntry, error) bool) {
			if n++; n == 1 {
				sequence(first)(yield)
				return
			}
			sequence(second)(yield)
		}}
	}
	var failing iter.Seq2[IndexEntry, error] = func(yield func(IndexEntry, error) bool) { yield(IndexEntry{}, errDiskFull) }
	for name, test := range map[string]struct {
		tail *TailStream
		want error
		// late: only detected when something is written.
		late bool
	}{
		"names unsorted":       {index(IndexEntry{podKind, "b", 1}, IndexEntry{podKind, "a", 1}), ErrUnsorted, false},
		"kinds unsorted":       {index(IndexEntry{podKind, "a", 1}, IndexEntry{deploymentKind, "b", 1}), ErrUnsorted, false},
		"name twice":           {index(IndexEntry{podKind, "a", 1}, IndexEntry{podKind, "a", 2}), ErrDuplicateKey, false},
		"no kind":              {index(IndexEntry{Name: "a"}), ErrValue, false},
		"name not UTF-8":       {index(IndexEntry{podKind, "\xff", 1}), ErrValue, false},
		"index fails":          {&TailStream{Index: failing}, errDiskFull, false},
		"owners unsorted":      {lifecycles(pod("b", 1), pod("a", 1)), ErrUnsorted, false},
		"hashes unsorted":      {lifecycles(pod("a", 2), pod("a", 1)), ErrUnsorted, false},
		"owner not UTF-8":      {lifecycles(pod("\xff", 1)), ErrValue, false},
		"no state":             {lifecycles(LifecycleEntry{Owner: PodOwner{podKind, "a"}, Lifecycle: Lifecycle{State: 3}}), ErrValue, false},
		"fewer then":           {changing(walks{{pod("a", 1), pod("a", 1)}, {pod("a", 1)}}), ErrCount, true},
		"more then":            {changing(walks{{pod("a", 1)}, {pod("a", 1), pod("a", 1)}}), ErrCount, true},
		"none then":            {changing(walks{{pod("a", 1)}, {}}), ErrCount, true},
		"another owner then":   {changing(walks{{pod("a", 1)}, {pod("a", 1), pod("b", 1)}}), ErrCount, true},
		"another hash then":    {changing(walks{{pod("a", 1), pod("a", 1)}, {pod("a", 1), pod("a", 2)}}), ErrCount, true},
		"hash of the next":     {changing(walks{{pod("a", 1), pod("b", 1), pod("b", 2)}, {pod("a", 1), pod("a", 2), pod("b", 2)}}), ErrCount, true},
		"fewer names then":     {changingIndex([]IndexEntry{{podKind, "a", 1}}, nil), ErrCount, true},
		"more names then":      {changingIndex([]IndexEntry{{podKind, "a", 1}}, []IndexEntry{{podKind, "a", 1}, {podKind, "b", 1}}), ErrCount, true},
		"extension a number":   {extension(1), ErrType, true},
		"extension of nothing": {extension(), ErrTruncated, true},
	} {
		t.Run(name, func(t *testing.T) {
			w, err := NewWriter(new(bytes.Buffer), &Config{}, WriterOptions{SpoolDir: t.TempDir()})
			if err != nil {
				t.Fatal(err)
			}
			defer w.Close()
			if err := w.FinishStream(test.tail); !errors.Is(err, test.want) {
				t.Errorf("got %v, want %v", err, test.want)
			}
			if err := w.FinishStream(&TailStream{}); (err == nil) == test.late {
				t.Errorf("another time: got %v, want an error: %t", err, test.late)
			}
		})
	}
}
