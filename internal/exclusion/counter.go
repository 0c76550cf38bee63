package exclusion

import (
	"cmp"
	"fmt"
	"hash/maphash"
	"slices"

	"k8s.io/apimachinery/pkg/runtime/schema"

	"simkube.io/simkube/internal/words"
	"simkube.io/simkube/trace"
)

// Counter counts the objects of a trace that are left out. The zero Counter counts those of a
// cluster that belongs to the trace alone. It is not safe for concurrent use.
type Counter struct {
	Rule

	seed   maphash.Seed
	counts map[countKey]*count
}

// countKey is what is counted together. The reason is nil for definitions that are changed.
type countKey struct {
	kind   schema.GroupKind
	reason *Reason
}

type count struct {
	gvk    schema.GroupVersionKind
	reason *Reason
	// objects are the hashes of the names; the value is true if pods may differ without the object.
	objects map[uint64]bool
}

// LeftOut are the objects of a kind that are left out.
type LeftOut struct {
	GVK schema.GroupVersionKind
	// Objects is how many are left out, Matter how many of these may make pods differ.
	Objects, Matter int
	Reason          *Reason
}

// Add counts the objects that an event applies. It does not keep the event.
func (c *Counter) Add(event *trace.Event) {
	for i := range event.Applied {
		object := &event.Applied[i]
		if reason := c.Leaves(object); reason != nil {
			c.add(object, reason)
		} else if !c.Shared && ConvertsByWebhook(object) {
			c.add(object, nil)
		}
	}
}

func (c *Counter) add(object *trace.Object, reason *Reason) {
	if c.counts == nil {
		c.seed, c.counts = maphash.MakeSeed(), map[countKey]*count{}
	}
	key := countKey{object.GVK().GroupKind(), reason}
	known := c.counts[key]
	if known == nil {
		known = &count{gvk: object.GVK(), reason: reason, objects: map[uint64]bool{}}
		c.counts[key] = known
	}
	name := maphash.String(c.seed, object.NamespacedName())
	known.objects[name] = known.objects[name] || reason != nil && reason.Matters(object) != ""
}

// LeftOut returns what is left out, sorted by kind.
func (c *Counter) LeftOut() []LeftOut {
	var all []LeftOut
	for _, counted := range c.counts {
		if counted.reason == nil {
			continue
		}
		left := LeftOut{GVK: counted.gvk, Objects: len(counted.objects), Reason: counted.reason}
		for _, matters := range counted.objects {
			if matters {
				left.Matter++
			}
		}
		all = append(all, left)
	}
	slices.SortFunc(all, func(a, b LeftOut) int {
		return cmp.Or(cmp.Compare(a.GVK.Group, b.GVK.Group), cmp.Compare(a.GVK.Kind, b.GVK.Kind), cmp.Compare(a.Reason.Text, b.Reason.Text))
	})
	return all
}

// Notes returns a sentence about the objects that are left out for each reason, and one about
// definitions that are changed.
func (c *Counter) Notes() []string {
	kinds, matter := map[*Reason][]string{}, map[*Reason]bool{}
	var reasons []*Reason
	for _, left := range c.LeftOut() {
		if kinds[left.Reason] == nil {
			reasons = append(reasons, left.Reason)
		}
		kinds[left.Reason] = append(kinds[left.Reason], fmt.Sprintf("%s (%d)", left.GVK.Kind, left.Objects))
		matter[left.Reason] = matter[left.Reason] || left.Matter > 0
	}
	var notes []string
	for _, reason := range reasons {
		note := fmt.Sprintf("objects left out: %s: %s", words.And(kinds[reason]...), reason.Text)
		if matter[reason] {
			note += "; " + reason.Effect
		}
		notes = append(notes, note)
	}
	if counted := c.counts[countKey{kind: Definition}]; counted != nil {
		notes = append(notes, fmt.Sprintf("%s without conversion: %s",
			words.Count(len(counted.objects), Definition.Kind), ConversionText))
	}
	return notes
}
