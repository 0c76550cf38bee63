package tracer

import (
	"context"
	"fmt"
	"slices"
	"sync/atomic"
	"time"

	"github.com/cespare/xxhash/v2"
	"k8s.io/apimachinery/pkg/runtime/schema"

	"simkube.io/simkube/internal/tracer/kinds"
	"simkube.io/simkube/internal/tracer/manifest"
	"simkube.io/simkube/internal/tracer/watch"
	"simkube.io/simkube/trace"
)

// follower follows one kind in all of its roles. It is the handler of a watch.
type follower struct {
	t       *Tracer
	kind    following
	name    string
	watcher *watch.Watcher
	objects *objects
	pods    *pods
	nodes   *nodes
	// count is the number of existing objects, for the status.
	count atomic.Int64

	cancel context.CancelFunc
	ctx    context.Context
	done   chan struct{}
}

// newFollower returns a follower. before has the objects that were recorded before; since is the
// time until which that is complete.
func (t *Tracer) newFollower(
	ctx context.Context, kind following, config *trace.Config, before map[string]known, since time.Time,
) (*follower, error) {
	f := &follower{t: t, kind: kind, name: trace.FormatGVK(kind.gvk), done: make(chan struct{})}
	f.ctx, f.cancel = context.WithCancel(ctx)
	if kind.roles&roleObjects != 0 {
		if before == nil {
			before = map[string]known{}
		}
		encoder, err := manifest.NewEncoder(manifest.EncoderOptions{
			GVK: kind.gvk, PodSpecTemplatePaths: config.PodSpecTemplatePaths(kind.gvk), Redactor: t.redactor,
		})
		if err != nil {
			return nil, err
		}
		f.objects = &objects{
			t: t, kind: kind, tracked: kind.tracked, known: before, encoder: encoder, counted: t.metrics.ofKind(kind.gvk),
		}
	}
	if kind.roles&rolePods != 0 {
		f.pods = newPods(t, config)
		if err := f.pods.load(ctx); err != nil {
			return nil, err
		}
	}
	if kind.roles&roleNodes != 0 {
		f.nodes = &nodes{t: t}
		if err := f.nodes.load(); err != nil {
			return nil, err
		}
	}
	client := t.client
	if kind.roles == roleOwners {
		client = t.metadataClient
	}
	f.watcher = watch.New(client, kind.gvk, f, watch.Options{
		Observer: t.metrics.ofWatch(kind.gvk), Clock: t.clock, Logger: t.logger, Since: since,
	})
	return f, nil
}

// run follows the kind until the follower is stopped, or the context of newFollower ends.
func (f *follower) run() error {
	defer close(f.done)
	if f.kind.roles != roleOwners {
		if err := f.t.awaitOwners(f.ctx, f.kind.gvk); err != nil {
			return nil // stopped
		}
	}
	if err := f.watcher.Run(f.ctx); err != nil && f.ctx.Err() == nil {
		return fmt.Errorf("follow %s: %w", trace.FormatGVK(f.kind.gvk), err)
	}
	return nil
}

// stop stops run, and waits for it.
func (f *follower) stop() {
	f.cancel()
	<-f.done
}

// awaitOwners waits until the kinds that may own objects of a kind are listed, so that these owners
// need not be requested one by one. It does not wait for kinds that cannot be listed. Pods wait for
// all kinds, since their owners are not known.
func (t *Tracer) awaitOwners(ctx context.Context, kind schema.GroupVersionKind) error {
	deadline := t.clock.Now().Add(settleTime)
	for t.clock.Now().Before(deadline) {
		waiting := false
		for _, f := range t.running() {
			switch f.watcher.Status().State {
			case watch.Starting, watch.Listing:
				waiting = waiting || f.kind.gvk != podKind && (kind == podKind || isBetween(f.kind.gvk, kind))
			}
		}
		if !waiting {
			return nil
		}
		if err := sleep(ctx, t.clock, 20*time.Millisecond); err != nil {
			return err
		}
	}
	return nil
}

// isBetween reports whether Kubernetes creates objects of a kind between those of an owner and its
// pods.
func isBetween(owner, kind schema.GroupVersionKind) bool {
	return slices.Contains(kinds.Between(&trace.Config{TrackedObjects: map[schema.GroupVersionKind]trace.TrackedObject{podKind: {}, owner: {}}}), kind)
}

// Begin implements watch.Handler.
func (f *follower) Begin(context.Context) error {
	if f.objects != nil {
		f.objects.begin()
	}
	if f.pods != nil {
		f.pods.begin()
	}
	if f.nodes != nil {
		f.nodes.begin()
	}
	return nil
}

// Object implements watch.Handler.
func (f *follower) Object(ctx context.Context, json []byte) error {
	if f.kind.roles == roleOwners {
		head, err := manifest.ParseHead(json)
		if err != nil {
			f.t.logger.WarnContext(ctx, "unreadable object", "kind", trace.FormatGVK(f.kind.gvk), "error", err)
			return nil
		}
		f.t.owners.learn(&head)
		return nil
	}
	if f.objects != nil {
		if err := f.objects.object(ctx, json); err != nil {
			return err
		}
	}
	if f.pods != nil {
		var encoder *manifest.Encoder
		if f.objects != nil {
			encoder = f.objects.encoder
		}
		if err := f.pods.object(ctx, json, encoder); err != nil {
			return err
		}
	}
	if f.nodes != nil {
		if err := f.nodes.object(ctx, json); err != nil {
			return err
		}
	}
	f.tally()
	return nil
}

// Deleted implements watch.Handler.
func (f *follower) Deleted(ctx context.Context, json []byte) error {
	head, err := manifest.ParseHead(json)
	if err != nil {
		f.t.logger.WarnContext(ctx, "unreadable deleted object", "kind", trace.FormatGVK(f.kind.gvk), "error", err)
		return nil
	}
	if f.pods != nil {
		if err := f.pods.gone(ctx, &head, json); err != nil {
			return err
		}
	}
	if f.nodes != nil {
		if err := f.nodes.gone(ctx, &head); err != nil {
			return err
		}
	}
	if f.objects != nil {
		if err := f.objects.gone(ctx, &head); err != nil {
			return err
		}
	}
	f.tally()
	return nil
}

// Complete implements watch.Handler.
func (f *follower) Complete(ctx context.Context) error {
	if f.pods != nil {
		if err := f.pods.complete(ctx); err != nil {
			return err
		}
	}
	if f.nodes != nil {
		if err := f.nodes.complete(ctx); err != nil {
			return err
		}
	}
	if f.objects != nil {
		if err := f.objects.complete(ctx); err != nil {
			return err
		}
	}
	f.tally()
	return nil
}

// tally updates the count: of the recorded objects, or else of the pods or nodes.
func (f *follower) tally() {
	switch {
	case f.objects != nil:
		f.count.Store(int64(len(f.objects.known)))
	case f.pods != nil:
		f.count.Store(int64(len(f.pods.live)))
	case f.nodes != nil:
		f.count.Store(int64(len(f.nodes.live)))
	}
}

// uidHash returns a hash of a UID that distinguishes objects with the same name.
func uidHash(uid string) uint64 { return xxhash.Sum64String(uid) }
