package export

import (
	"encoding/binary"
	"fmt"
	"iter"
	"strings"

	"k8s.io/apimachinery/pkg/runtime/schema"

	"simkube.io/simkube/internal/tracer/log"
	"simkube.io/simkube/trace"
)

// Keys of tables sort like a trace: a kind, 0, and a name. The keys of lifecycles then have another
// 0, the pod hash, and a number that makes them unique.

func indexKey(gvk schema.GroupVersionKind, name string) []byte {
	b := make([]byte, 0, len(gvk.Group)+len(gvk.Version)+len(gvk.Kind)+len(name)+3)
	if gvk.Group != "" {
		b = append(append(b, gvk.Group...), '/')
	}
	b = append(append(append(b, gvk.Version...), '.'), gvk.Kind...)
	return append(append(b, 0), name...)
}

// lifecycleSuffix is how many bytes follow the owner in the key of a lifecycle.
const lifecycleSuffix = 1 + 8 + 8

func lifecycleKey(owner log.Key, hash, n uint64) []byte {
	b := append(indexKey(owner.GVK, owner.Name), 0)
	return binary.BigEndian.AppendUint64(binary.BigEndian.AppendUint64(b, hash), n)
}

// kindReader parses the kinds of keys. Consecutive keys often have the same.
type kindReader struct {
	text string
	gvk  schema.GroupVersionKind
}

func (r *kindReader) split(key string) (gvk schema.GroupVersionKind, name string, err error) {
	text, name, _ := strings.Cut(key, "\x00")
	if text != r.text {
		if r.gvk, err = trace.ParseGVK(text); err != nil {
			return gvk, "", fmt.Errorf("read what was sorted: %w", err)
		}
		r.text = text
	}
	return r.gvk, name, nil
}

// indexEntries returns the entries of the index in the order of the trace.
func indexEntries(t *table) iter.Seq2[trace.IndexEntry, error] {
	return func(yield func(trace.IndexEntry, error) bool) {
		var kinds kindReader
		for e, err := range t.all() {
			var out trace.IndexEntry
			if err == nil {
				out.GVK, out.Name, err = kinds.split(e.key)
				out.Hash = e.value[0]
			}
			if !yield(out, err) || err != nil {
				return
			}
		}
	}
}

// lifecycleEntries returns the lifecycles in the order of the trace.
func lifecycleEntries(t *table) iter.Seq2[trace.LifecycleEntry, error] {
	return func(yield func(trace.LifecycleEntry, error) bool) {
		var kinds kindReader
		for e, err := range t.all() {
			var out trace.LifecycleEntry
			if err == nil {
				owner, rest := e.key[:len(e.key)-lifecycleSuffix], e.key[len(e.key)-lifecycleSuffix+1:]
				out.Owner.GVK, out.Owner.Name, err = kinds.split(owner)
				out.Hash = binary.BigEndian.Uint64([]byte(rest))
				out.Lifecycle = trace.Lifecycle{State: trace.LifecycleState(e.value[0]), Start: int64(e.value[1]), End: int64(e.value[2])}
			}
			if !yield(out, err) || err != nil {
				return
			}
		}
	}
}
