package export

import (
	"bytes"
	"context"
	"fmt"
	"iter"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/tinylib/msgp/msgp"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
	clocktesting "k8s.io/utils/clock/testing"

	"simkube.io/simkube/internal/tracer/log"
	"simkube.io/simkube/trace"
)

var (
	deploymentKind = schema.GroupVersionKind{Group: "apps", Version: "v1", Kind: "Deployment"}
	replicaSetKind = schema.GroupVersionKind{Group: "apps", Version: "v1", Kind: "ReplicaSet"}
	namespaceKind  = schema.GroupVersionKind{Version: "v1", Kind: "Namespace"}
	nodeKind       = schema.GroupVersionKind{Version: "v1", Kind: "Node"}
	untrackedKind  = schema.GroupVersionKind{Version: "v1", Kind: "Secret"}
)

func testConfig() *trace.Config {
	return &trace.Config{TrackedObjects: map[schema.GroupVersionKind]trace.TrackedObject{
		deploymentKind: {TrackLifecycle: true}, replicaSetKind: {}, podKind: {TrackLifecycle: true}, namespaceKind: {}, nodeKind: {},
	}}
}

// history is a log in memory that follows the contract of Source strictly: a record changes when
// the next one is requested.
type history struct {
	begin, now int64
	records    []log.Record
	pods       []log.Pod
	nodes      []log.Node
	gaps       []log.Gap
	// fails is the record at which reading fails.
	fails   log.Seq
	failure error
}

func (h *history) Begin() int64 { return h.begin }
func (h *history) Time() int64  { return h.now }

// give yields the records one by one in the same memory.
func (h *history) give(list []*log.Record) iter.Seq2[*log.Record, error] {
	return func(yield func(*log.Record, error) bool) {
		var r log.Record
		var object, references []byte
		var ancestors []log.Key
		for _, from := range list {
			for i := range object {
				object[i] = 0xc1
			}
			clear(ancestors)
			if h.fails != 0 && from.Seq >= h.fails {
				yield(nil, h.failure)
				return
			}
			r = *from
			object, references, ancestors = append(object[:0], r.Object...), append(references[:0], r.References...), append(ancestors[:0], r.Ancestors...)
			r.Object, r.References, r.Ancestors = object, references, ancestors
			if !yield(&r, nil) {
				return
			}
		}
	}
}

func (h *history) StateAt(ms int64) iter.Seq2[*log.Record, error] {
	last := map[log.Key]*log.Record{}
	for i := range h.records {
		if r := &h.records[i]; r.Time < max(ms, h.begin) {
			last[r.Key] = r
		}
	}
	var list []*log.Record
	for _, r := range last {
		if r.Op == log.Applied {
			list = append(list, r)
		}
	}
	slices.SortFunc(list, func(a, b *log.Record) int {
		return bytes.Compare(indexKey(a.Key.GVK, a.Key.Name), indexKey(b.Key.GVK, b.Key.Name))
	})
	return h.give(list)
}

func (h *history) Changes(from, to int64) iter.Seq2[*log.Record, error] {
	var list []*log.Record
	for i := range h.records {
		if r := &h.records[i]; r.Time >= max(from, h.begin) && r.Time < to {
			list = append(list, r)
		}
	}
	return h.give(list)
}

func (h *history) Before(key log.Key, seq log.Seq) (*log.Record, error) {
	for i := range slices.Backward(h.records) {
		if r := h.records[i]; r.Key == key && r.Seq < seq {
			return &r, nil
		}
	}
	return nil, nil
}

func (h *history) At(key log.Key, ms int64) (*log.Record, error) {
	for i := range slices.Backward(h.records) {
		if r := h.records[i]; r.Key == key && r.Time < ms {
			return &r, nil
		}
	}
	return nil, nil
}

func (h *history) Pods(from, to int64) iter.Seq2[*log.Pod, error] {
	return sequence(h.pods, func(p *log.Pod) bool { return p.Created < to && (p.Deleted == 0 || p.Deleted >= from) })
}

func (h *history) Nodes(from, to int64) iter.Seq2[*log.Node, error] {
	return sequence(h.nodes, func(n *log.Node) bool { return n.From < to && (n.To == 0 || n.To > from) })
}

func (h *history) Gaps(from, to int64) iter.Seq2[*log.Gap, error] {
	return sequence(h.gaps, func(g *log.Gap) bool { return g.From < to && max(g.To, g.From+1) > from })
}

func sequence[T any](list []T, want func(*T) bool) iter.Seq2[*T, error] {
	return func(yield func(*T, error) bool) {
		for _, v := range list {
			if want(&v) && !yield(&v, nil) {
				return
			}
		}
	}
}

// record adds a change. object is "Kind namespace/name".
func (h *history) record(ms int64, op log.Op, object string, change log.Change) {
	change.Op, change.Key = op, keyOf(object)
	h.records = append(h.records, log.Record{Change: change, Seq: log.Seq(len(h.records) + 1), Time: ms})
}

// apply adds a change to an object, which has a version in its spec, and labels.
func (h *history) apply(ms int64, object string, version int, more ...any) {
	change := log.Change{}
	labels := map[string]any{}
	for _, m := range more {
		switch m := m.(type) {
		case log.Key:
			change.Ancestors = append(change.Ancestors, m)
		case reference:
			change.References = referenceTo(m)
		case string:
			key, value, _ := strings.Cut(m, "=")
			labels[key] = value
		}
	}
	change.Object = manifest(keyOf(object), version, labels)
	change.Hash = uint64(version)
	h.record(ms, log.Applied, object, change)
}

func (h *history) delete(ms int64, object string) { h.record(ms, log.Deleted, object, log.Change{}) }

func (h *history) forget(ms int64, object string) { h.record(ms, log.Forgotten, object, log.Change{}) }

func keyOf(object string) log.Key {
	kind, name, _ := strings.Cut(object, " ")
	gvk := map[string]schema.GroupVersionKind{
		"Deployment": deploymentKind, "ReplicaSet": replicaSetKind, "Pod": podKind, "Namespace": namespaceKind, "Node": nodeKind, "Secret": untrackedKind,
	}[kind]
	return log.Key{GVK: gvk, Name: name}
}

func manifest(key log.Key, version int, labels map[string]any) []byte {
	u := &unstructured.Unstructured{Object: map[string]any{"spec": map[string]any{"version": int64(version)}}}
	u.SetGroupVersionKind(key.GVK)
	namespace, name := trace.SplitNamespacedName(key.Name)
	u.SetNamespace(namespace)
	u.SetName(name)
	if len(labels) > 0 {
		u.Object["metadata"].(map[string]any)["labels"] = labels
	}
	obj, err := trace.NewObject(u)
	if err != nil {
		panic(err)
	}
	return obj.Raw()
}

func referenceTo(owner reference) []byte {
	b := msgp.AppendMapHeader(msgp.AppendArrayHeader(nil, 1), 4)
	b = msgp.AppendString(msgp.AppendString(b, "apiVersion"), owner.kind.Group+"/v1")
	b = msgp.AppendBool(msgp.AppendString(b, "controller"), true)
	b = msgp.AppendString(msgp.AppendString(b, "kind"), owner.kind.Kind)
	return msgp.AppendString(msgp.AppendString(b, "name"), owner.name)
}

// logged writes a history to a real log and returns a snapshot of it.
func (h *history) logged(t testing.TB) *log.Snapshot {
	t.Helper()
	clock := clocktesting.NewFakeClock(time.UnixMilli(h.begin))
	l, err := log.Open(t.TempDir(), log.Options{Clock: clock, InMemory: true})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := l.Close(); err != nil {
			t.Error(err)
		}
	})
	add := func(e log.Entry) {
		if _, err := l.Append(context.Background(), e); err != nil {
			t.Fatal(err)
		}
	}
	for i := range h.pods {
		add(&h.pods[i])
	}
	for i := range h.nodes {
		add(&h.nodes[i])
	}
	for i := range h.gaps {
		add(&h.gaps[i])
	}
	for i := range h.records {
		clock.SetTime(time.UnixMilli(h.records[i].Time))
		add(&h.records[i].Change)
	}
	clock.SetTime(time.UnixMilli(h.now))
	s, err := l.Snapshot()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	})
	return s
}

// mustRun exports and reads the trace, and checks that no temporary file is left.
func mustRun(t testing.TB, source Source, request Request, opts Options) (*trace.Trace, Summary) {
	t.Helper()
	data, summary := mustBytes(t, source, request, opts)
	tr, err := trace.Read(bytes.NewReader(data))
	if err != nil {
		t.Fatal(err)
	}
	return tr, summary
}

func mustBytes(t testing.TB, source Source, request Request, opts Options) ([]byte, Summary) {
	t.Helper()
	opts.SpoolDir = t.TempDir()
	if opts.Config == nil {
		opts.Config = testConfig()
	}
	var b bytes.Buffer
	summary, err := Run(context.Background(), source, request, &b, opts)
	if err != nil {
		t.Fatal(err)
	}
	noneLeft(t, opts.SpoolDir)
	return b.Bytes(), summary
}

// eventLines formats events: "time +Kind name@version -Kind name".
func eventLines(t testing.TB, tr *trace.Trace) []string {
	t.Helper()
	var lines []string
	for i := range tr.Events {
		e := &tr.Events[i]
		line := fmt.Sprint(e.Time)
		for i := range e.Applied {
			u, err := e.Applied[i].Unstructured()
			if err != nil {
				t.Fatal(err)
			}
			version, _, _ := unstructured.NestedInt64(u.Object, "spec", "version")
			line += fmt.Sprintf(" +%s %s@%d", u.GetKind(), e.Applied[i].NamespacedName(), version)
		}
		for i := range e.Deleted {
			line += fmt.Sprintf(" -%s %s", e.Deleted[i].GVK().Kind, e.Deleted[i].NamespacedName())
		}
		lines = append(lines, line)
	}
	return lines
}
