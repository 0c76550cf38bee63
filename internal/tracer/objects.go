package tracer

import (
	"context"
	"errors"
	"strings"

	"github.com/cespare/xxhash/v2"

	"simkube.io/simkube/internal/tracer/log"
	"simkube.io/simkube/internal/tracer/manifest"
	"simkube.io/simkube/trace"
)

// known is what the next event of an object is compared with.
type known struct {
	// hash is the hash of what was recorded; see recordedHash.
	hash uint64
	// uid is a hash of the object's UID, which distinguishes another object with the same name.
	uid uint64
	// list is the number of the list after which the object was last seen.
	list uint32
	// trust is how reliable its recorded ancestors are.
	trust trust
	// owned is whether it had owners when it was last seen.
	owned bool
}

// trust is how reliable recorded ancestors are.
type trust uint8

const (
	// sure means that all of them are known.
	sure trust = iota
	// fromLog means that they were determined by a previous follower, when some of the kinds that are
	// tracked now may not have been tracked.
	fromLog
	// unsure means that an owner could not be looked up. It is looked up again at the next event of
	// the object.
	unsure
)

// ancestorBits is the number of bits of a recorded hash that depend on the ancestors. The others
// depend on the manifest.
const ancestorBits = 16

// recordedHash returns the hash of what is recorded of an object: its manifest and its ancestors.
func recordedHash(manifest uint64, ancestors []log.Key) uint64 {
	return manifest>>ancestorBits<<ancestorBits | ancestorsHash(ancestors)
}

// ancestorsHashOf returns the part of a recorded hash that depends on the ancestors.
func ancestorsHashOf(recorded uint64) uint64 { return recorded & (1<<ancestorBits - 1) }

func ancestorsHash(ancestors []log.Key) uint64 {
	if len(ancestors) == 0 {
		return 0
	}
	var d xxhash.Digest
	d.Reset()
	for _, key := range ancestors {
		for _, text := range []string{key.GVK.Group, key.GVK.Version, key.GVK.Kind, key.Name} {
			_, _ = d.WriteString(text) // never fails
			_, _ = d.WriteString("\x00")
		}
	}
	return d.Sum64() >> (64 - ancestorBits)
}

// objects records the objects of one kind. It must be used by one goroutine.
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

// object records an object in its present state, if that differs from what was recorded last.
func (o *objects) object(ctx context.Context, json []byte) error {
	m, err := o.encoder.Encode(json)
	if err != nil {
		return o.invalid(json, err)
	}
	head := &m.Head
	name := clonedName(head)
	before, there := o.known[name]
	if o.tracked.SkipOwned && len(head.Owners) > 0 {
		if !there {
			return nil
		}
		delete(o.known, name)
		if before.uid != uidHash(head.UID) {
			// It was deleted unnoticed, and this is another object.
			return o.append(ctx, &log.Change{Op: log.Deleted, Key: o.key(name)})
		}
		// It had no owner before.
		return o.append(ctx, &log.Change{Op: log.Forgotten, Key: o.key(name), UID: head.UID})
	}
	now := known{hash: m.Hash, uid: uidHash(head.UID), list: o.list, owned: len(head.Owners) > 0}
	same := there && before.uid == now.uid
	changed := !same || before.hash>>ancestorBits != now.hash>>ancestorBits
	if !same || before.trust == fromLog || changed && (now.owned || before.owned) {
		o.t.owners.learn(head)
	}
	if !changed {
		current, trust, err := o.ancestorsCurrent(ctx, head, before)
		if current || err != nil {
			now.hash, now.trust = before.hash, trust
			o.known[name] = now
			return err
		}
	}
	var entries []log.Entry
	if there && !same {
		// It was deleted unnoticed, and this is another object.
		entries = append(entries, &log.Change{Op: log.Deleted, Key: o.key(name)})
	}
	ancestors, certain, err := o.t.ancestors(ctx, head.Namespace, head.Owners)
	if err != nil {
		return err
	}
	if !certain {
		now.trust = unsure
	}
	now.hash = recordedHash(m.Hash, ancestors)
	o.known[name] = now
	o.counted.bytes.Add(float64(len(m.Object)))
	return o.append(ctx, append(entries, &log.Change{
		Op: log.Applied, Key: o.key(name), UID: head.UID, Hash: now.hash,
		Object: m.Object, References: m.References, Ancestors: ancestors,
	})...)
}

// ancestorsCurrent reports whether the recorded ancestors of an object that did not change are
// still correct, and how reliable that is.
func (o *objects) ancestorsCurrent(ctx context.Context, head *manifest.Head, before known) (current bool, _ trust, _ error) {
	if before.trust == sure || len(head.Owners) == 0 {
		return true, sure, nil
	}
	if before.trust == fromLog {
		// After a restart, the owners of unchanged objects are not requested.
		ancestors, ok := o.t.owners.recall(head.Namespace, head.Owners)
		return !ok || len(ancestors) == 0 || ancestorsHash(ancestors) == ancestorsHashOf(before.hash), sure, nil
	}
	ancestors, certain, err := o.t.ancestors(ctx, head.Namespace, head.Owners)
	if err != nil || !certain {
		return true, unsure, err
	}
	return ancestorsHash(ancestors) == ancestorsHashOf(before.hash), sure, nil
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

// complete records the objects that were not seen since begin as deleted.
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

func (o *objects) append(ctx context.Context, entries ...log.Entry) error {
	for _, entry := range entries {
		o.counted.op(entry.(*log.Change).Op).Inc()
	}
	return o.t.append(ctx, entries...)
}

func (o *objects) key(name string) log.Key { return log.Key{GVK: o.kind.gvk, Name: name} }

// invalid skips an object that cannot be recorded. It keeps what is known of the object, which was
// not deleted.
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

// clonedName returns a copy of an object's namespaced name, since the strings of a Head are parts
// of a larger one.
func clonedName(head *manifest.Head) string {
	if head.Namespace == "" {
		return strings.Clone(head.Name)
	}
	return trace.NamespacedName(head.Namespace, head.Name)
}
