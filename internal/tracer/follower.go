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

// follower follows one kind, for whatever it is followed for. It is the handler of a watch.
type follower struct {
	t       *Tracer
	kind    following
	name    string
	watcher *watch.Watcher
	objects *objects
	pods    *pods
	nodes   *nodes
	// count is how many objects there are, for the status.
	count atomic.Int64

	cancel context.CancelFunc
	ctx    context.Context
	done   chan struct{}
}

// newFollower makes a follower, which knows what was recorded before. since is up to when that is
// everything.
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

// run follows until the follower is stopped, or the context it was made with ends.
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

// stop ends run, and waits for it.
func (f *follower) stop() {
	f.cancel()
	<-f.done
}

// awaitOwners waits until the kinds that may own objects of a kind are listed, so that nobody has to be asked for those that are there already. A kind
// that cannot be listed is not waited for. Who may own pods is not known, so that they wait for all.
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

// isBetween tells whether Kubernetes puts objects of a kind between those of an owner and its pods.
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
		if err := f.pods.object(ctx, json); err != nil {
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

// Gone implements watch.Handler.
func (f *follower) Gone(ctx context.Context, json []byte) error {
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

// tally counts what there is: the objects that are recorded, else the pods or nodes.
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

// uidHash makes a UID a number, of which there are enough to tell two objects of one name apart.
func uidHash(uid string) uint64 { return xxhash.Sum64String(uid) }
