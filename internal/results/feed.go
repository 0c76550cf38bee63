package results

import (
	"fmt"
	"sync"

	"k8s.io/client-go/tools/cache"
)

// feed is the store of a reflector that stores nothing and passes objects on.
type feed[T any] struct {
	changed, deleted func(T)
	listed           func([]T)
	// ready is closed after the first list.
	ready chan struct{}
	once  sync.Once
}

var _ cache.ReflectorStore = (*feed[int])(nil)

func newFeed[T any](changed, deleted func(T), listed func([]T)) *feed[T] {
	return &feed[T]{changed: changed, deleted: deleted, listed: listed, ready: make(chan struct{})}
}

// Add implements [cache.ReflectorStore].
func (f *feed[T]) Add(obj any) error { return hand(obj, f.changed) }

// Update implements [cache.ReflectorStore].
func (f *feed[T]) Update(obj any) error { return hand(obj, f.changed) }

// Delete implements [cache.ReflectorStore].
func (f *feed[T]) Delete(obj any) error { return hand(obj, f.deleted) }

// Replace implements [cache.ReflectorStore].
func (f *feed[T]) Replace(list []any, _ string) error {
	objects := make([]T, 0, len(list))
	for _, obj := range list {
		if err := hand(obj, func(o T) { objects = append(objects, o) }); err != nil {
			return err
		}
	}
	f.listed(objects)
	f.once.Do(func() { close(f.ready) })
	return nil
}

// Resync implements [cache.ReflectorStore].
func (f *feed[T]) Resync() error { return nil }

func hand[T any](obj any, to func(T)) error {
	o, ok := obj.(T)
	if !ok {
		return fmt.Errorf("watch delivered a %T", obj)
	}
	to(o)
	return nil
}
