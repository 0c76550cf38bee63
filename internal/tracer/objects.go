package tracer

import (
	"context"
	"errors"
	"strings"

	"simkube.io/simkube/internal/tracer/log"
	"simkube.io/simkube/internal/tracer/manifest"
	"simkube.io/simkube/trace"
)

// known is what the next event of an object is compared with.
type known struct {
	hash uint64
	// uid is a hash of the object's UID: it tells whether this is another object of the same name.
	uid uint64
	// list is the number of the list, or of the time between lists, in which it was last seen.
	list uint32
}

// objects records the objects of one kind. It is used by one goroutine.
type objects struct {
	t       *Tracer
	tracked trace.TrackedObject
	kind    following
	encoder *manifest.Encoder
	known   map[string]known // by namespaced name
	list    uint32
	counted kindMetrics
}

// begin starts a list.
func (o *objects) begin() { o.list++ }

// object records an object as it is now, if it differs from what was recorded last.
func (o *objects) object(ctx context.Context, json []byte) error {
	m, err := o.encoder.Encode(json)
	if err != nil {
		return o.invalid(json, err)
	}
	head := &m.Head
	name := keptName(head)
	before, there := o.known[name]
	if o.tracked.SkipOwned && len(head.Owners) > 0 {
		if !there {
			return nil
		}
		// It was nobody's before.
		delete(o.known, name)
		return o.append(ctx, &log.Change{Op: log.Forgotten, Key: o.key(name), UID: head.UID})
	}
	now := known{hash: m.Hash, uid: uidHash(head.UID), list: o.list}
	if there && before.hash == now.hash && before.uid == now.uid {
		o.known[name] = now
		return nil
	}
	var entries []log.Entry
	if there && before.uid != now.uid {
		// It was deleted while nobody looked, and is another one now.
		entries = append(entries, &log.Change{Op: log.Deleted, Key: o.key(name)})
	}
	if !there || before.uid != now.uid || len(head.Owners) > 0 {
		o.t.owners.learn(head)
	}
	ancestors, err := o.t.ancestors(ctx, head.Namespace, head.Owners)
	if err != nil {
		return err
	}
	o.known[name] = now
	o.counted.bytes.Add(float64(len(m.Object)))
	return o.append(ctx, append(entries, &log.Change{
		Op: log.Applied, Key: o.key(name), UID: head.UID, Hash: m.Hash,
		Object: m.Object, References: m.References, Ancestors: ancestors,
	})...)
}

// gone records that an object was deleted.
func (o *objects) gone(ctx context.Context, head *manifest.Head) error {
	name := trace.NamespacedName(head.Namespace, head.Name)
	if _, there := o.known[name]; !there {
		return nil
	}
	delete(o.known, name)
	return o.append(ctx, &log.Change{Op: log.Deleted, Key: o.key(name), UID: head.UID})
}

// complete records as deleted what was not seen since begin.
func (o *objects) complete(ctx context.Context) error {
	for name, k := range o.known {
		if k.list == o.list {
			continue
		}
		delete(o.known, name)
		if err := o.append(ctx, &log.Change{Op: log.Deleted, Key: o.key(name)}); err != nil {
			return err
		}
	}
	return nil
}

// forget ends the recording of all objects of the kind.
func (o *objects) forget(ctx context.Context) error {
	for name := range o.known {
		if err := o.append(ctx, &log.Change{Op: log.Forgotten, Key: o.key(name)}); err != nil {
			return err
		}
	}
	clear(o.known)
	return nil
}

func (o *objects) append(ctx context.Context, entries ...log.Entry) error {
	for _, entry := range entries {
		o.counted.op(entry.(*log.Change).Op).Inc()
	}
	return o.t.append(ctx, entries...)
}

func (o *objects) key(name string) log.Key { return log.Key{GVK: o.kind.gvk, Name: name} }

// invalid passes over an object that cannot be recorded. What is known of it stays: it was not deleted.
func (o *objects) invalid(json []byte, err error) error {
	o.counted.invalid.Inc()
	head, headErr := manifest.ParseHead(json)
	if headErr != nil {
		o.t.logger.Warn("unreadable object", "kind", trace.FormatGVK(o.kind.gvk), "error", errors.Join(err, headErr))
		return nil
	}
	name := trace.NamespacedName(head.Namespace, head.Name)
	o.t.logger.Warn("unreadable object", "kind", trace.FormatGVK(o.kind.gvk), "object", name, "error", err)
	if k, there := o.known[name]; there {
		k.list = o.list
		o.known[name] = k
	}
	return nil
}

// keptName gives an object's namespaced name for keeps: the strings of a Head are parts of something larger.
func keptName(head *manifest.Head) string {
	if head.Namespace == "" {
		return strings.Clone(head.Name)
	}
	return trace.NamespacedName(head.Namespace, head.Name)
}
