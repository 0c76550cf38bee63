package tracertest

import (
	"context"
	"fmt"
	"math/rand/v2"
	"sync"
	"testing"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/client-go/dynamic"
)

// written is a write that the API server acknowledged, at a time between before and after.
type written struct {
	// object is its kind and name.
	object string
	// number is the unique number that was written; 0 if the object was deleted.
	number        int
	before, after time.Time
}

// notes are the acknowledged writes, in order for each object.
type notes struct {
	mu     sync.Mutex // guards the following
	number int
	writes []written
}

// next returns a number.
func (n *notes) next() int {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.number++
	return n.number
}

func (n *notes) add(w written, err error) {
	n.mu.Lock()
	defer n.mu.Unlock()
	if err == nil {
		n.writes = append(n.writes, w)
	}
}

// until returns the writes that were acknowledged before a time.
func (n *notes) until(end time.Time) []written {
	n.mu.Lock()
	defer n.mu.Unlock()
	var all []written
	for _, w := range n.writes {
		if w.after.Before(end) {
			all = append(all, w)
		}
	}
	return all
}

// objectWriter writes objects of one kind.
type objectWriter struct {
	notes  *notes
	kind   schema.GroupVersionKind
	client dynamic.ResourceInterface
	prefix string
}

// put creates or updates an object, and records the write if it was acknowledged.
func (s *objectWriter) put(ctx context.Context, name string, create bool) error {
	number := s.notes.next()
	object := &unstructured.Unstructured{Object: map[string]any{
		"metadata": map[string]any{"name": s.prefix + name}, "data": map[string]any{"n": fmt.Sprint(number)},
	}}
	object.SetGroupVersionKind(s.kind)
	w := written{object: s.kind.Kind + " " + s.prefix + name, number: number, before: time.Now()}
	var err error
	if create {
		_, err = s.client.Create(ctx, object, metav1.CreateOptions{})
	} else {
		var now *unstructured.Unstructured
		if now, err = s.client.Get(ctx, s.prefix+name, metav1.GetOptions{}); err == nil {
			object.SetResourceVersion(now.GetResourceVersion())
			_, err = s.client.Update(ctx, object, metav1.UpdateOptions{})
		}
	}
	w.after = time.Now()
	s.notes.add(w, err)
	return err
}

func (s *objectWriter) remove(ctx context.Context, name string) error {
	w := written{object: s.kind.Kind + " " + s.prefix + name, before: time.Now()}
	err := s.client.Delete(ctx, s.prefix+name, metav1.DeleteOptions{})
	w.after = time.Now()
	s.notes.add(w, err)
	return err
}

// pace is the pause of a writer between two writes.
const pace = 40 * time.Millisecond

// write keeps writing until ctx ends: objects that are created and kept, changed, deleted, and that
// exist only briefly. Names are not reused, so that a deletion belongs to a known object.
func (s *objectWriter) write(ctx context.Context) {
	var there []string
	for i := 0; ctx.Err() == nil; i++ {
		switch n := rand.IntN(10); {
		case n < 2 || len(there) == 0:
			if name := fmt.Sprintf("stays-%d", i); s.put(ctx, name, true) == nil {
				there = append(there, name)
			}
		case n < 4:
			name := fmt.Sprintf("brief-%d", i)
			if s.put(ctx, name, true) == nil && s.remove(ctx, name) != nil {
				there = append(there, name)
			}
		case n < 8:
			_ = s.put(ctx, there[rand.IntN(len(there))], false) // the error does not matter
		default:
			at := rand.IntN(len(there))
			if s.remove(ctx, there[at]) == nil {
				there = append(there[:at], there[at+1:]...)
			}
		}
		select {
		case <-ctx.Done():
		case <-time.After(pace):
		}
	}
}

// startWriters starts two writers of each kind, which write until the function that it returns is
// called.
func startWriters(t *testing.T, n *notes, namespace string, p probe) (stop func()) {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	var group sync.WaitGroup
	for i := range 2 {
		for _, s := range objectWriters(n, namespace, p, fmt.Sprintf("w%d-", i)) {
			group.Go(func() { s.write(ctx) })
		}
	}
	return func() { cancel(); group.Wait() }
}

// objectWriters returns a writer for each kind.
func objectWriters(n *notes, namespace string, p probe, prefix string) []*objectWriter {
	maps := schema.GroupVersionResource{Version: "v1", Resource: "configmaps"}
	return []*objectWriter{
		{n, configMapKind, env.dynamic.Resource(maps).Namespace(namespace), prefix},
		{n, p.kind, env.dynamic.Resource(p.resource), prefix},
	}
}
