package order

import (
	"hash/maphash"
	"slices"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"

	"simkube.io/simkube/trace"
)

// Survey collects what the events of a trace say about the order of objects. It keeps a few bytes
// for each object that exists, and no event.
type Survey struct {
	seed maphash.Seed
	// index is the index of the next event, counts the numbers of objects of all events.
	index  int
	counts []int

	// live has the objects that exist, by namespace.
	live map[string]map[uint64]state
	// time is the current second, second what happened in it; deletes reports whether anything was
	// deleted.
	time    int64
	second  []operation
	deletes bool

	groups   []group
	contests map[[2]uint64]*contest
	// open are the contests whose objects were not mentioned since, spaces those of namespaces in
	// which nothing was.
	open   map[uint64]*contest
	spaces map[string]*contest
	// gone are some objects that were deleted, to find out whether the index has such objects.
	gone map[uint64]trace.IndexEntry
}

// state is what is known about an object that was applied last.
type state struct {
	manifest uint64
	// unsure reports whether the object may have been deleted since.
	unsure bool
}

// maxGone is the maximum number of deleted objects that are kept.
const maxGone = 64

// NewSurvey returns a survey of no events.
func NewSurvey() *Survey {
	return &Survey{
		seed:     maphash.MakeSeed(),
		live:     map[string]map[uint64]state{},
		contests: map[[2]uint64]*contest{},
		open:     map[uint64]*contest{},
		spaces:   map[string]*contest{},
		gone:     map[uint64]trace.IndexEntry{},
	}
}

// Add adds the next event. It does not keep it.
func (s *Survey) Add(event *trace.Event) {
	if event.Time != s.time {
		s.endSecond()
		s.time = event.Time
	}
	first := len(s.second)
	for i := range event.Applied {
		s.second = append(s.second, operation{s.key(&event.Applied[i]), s.index, i, false})
	}
	for i := range event.Deleted {
		s.second = append(s.second, operation{s.key(&event.Deleted[i]), s.index, len(event.Applied) + i, true})
	}
	operations := s.second[first:]
	s.deletes = s.deletes || len(event.Deleted) > 0
	contested := s.contested(event, operations)
	s.mention(event, operations, contested)
	s.change(event, operations, contested)
	s.counts = append(s.counts, len(operations))
	s.index++
}

// key identifies an object, without its version.
func (s *Survey) key(object *trace.Object) uint64 {
	gvk := object.GVK()
	var h maphash.Hash
	h.SetSeed(s.seed)
	for _, text := range []string{gvk.Group, gvk.Kind, object.Namespace(), object.Name()} {
		_, _ = h.WriteString(text)
		_ = h.WriteByte(0)
	}
	return h.Sum64()
}

// objectOf returns the object of an operation.
func objectOf(event *trace.Event, op operation) *trace.Object {
	if op.deletes {
		return &event.Deleted[op.object-len(event.Applied)]
	}
	return &event.Applied[op.object]
}

// contested returns the new contests of an event by key.
func (s *Survey) contested(event *trace.Event, operations []operation) map[uint64]*contest {
	if len(event.Applied) == 0 || len(event.Deleted) == 0 {
		return nil
	}
	deleted := map[uint64][]int{}
	for _, op := range operations[len(event.Applied):] {
		deleted[op.key] = append(deleted[op.key], op.object)
	}
	var found map[uint64]*contest
	for _, op := range operations[:len(event.Applied)] {
		if deleted[op.key] == nil {
			continue
		}
		c := found[op.key]
		if c == nil {
			object := objectOf(event, op)
			c = &contest{
				event: s.index, time: event.Time, gvk: object.GVK(), namespace: object.Namespace(), name: object.Name(),
				deleted: deleted[op.key],
			}
			if found == nil {
				found = map[uint64]*contest{}
			}
			found[op.key] = c
			s.contests[[2]uint64{uint64(s.index), op.key}] = c
		}
		c.applied = append(c.applied, op.object)
	}
	for key, c := range found {
		s.assess(key, c, event)
	}
	return found
}

// assess decides a contest by what existed before, as far as possible.
func (s *Survey) assess(key uint64, c *contest, event *trace.Event) {
	before, existed := s.live[c.namespace][key]
	applied, deleted := &event.Applied[c.applied[0]], &event.Deleted[c.deleted[0]-len(event.Applied)]
	switch {
	case !existed && len(c.deleted) >= len(c.applied):
		c.outcome = applyFirst
	case !existed:
	case len(c.deleted) > len(c.applied):
		c.outcome = deleteFirst
	default:
		c.outcome = byIdentity(applied, deleted)
	}
	// A change that changes nothing is not recorded, but a creation is.
	c.same = existed && !before.unsure && len(c.applied) == 1 && before.manifest == s.manifest(applied)
}

func (s *Survey) manifest(object *trace.Object) uint64 { return maphash.Bytes(s.seed, object.Raw()) }

// byIdentity compares the UIDs or the creation times of an applied and a deleted object, if the
// trace has them.
func byIdentity(applied, deleted *trace.Object) outcome {
	a, err := applied.Unstructured()
	if err != nil {
		return unknown
	}
	d, err := deleted.Unstructured()
	if err != nil {
		return unknown
	}
	for _, identity := range []func(*unstructured.Unstructured) string{
		func(u *unstructured.Unstructured) string { return string(u.GetUID()) },
		func(u *unstructured.Unstructured) string {
			text, _, _ := unstructured.NestedString(u.Object, "metadata", "creationTimestamp")
			return text
		},
	} {
		switch one, other := identity(a), identity(d); {
		case one == "" || other == "":
		case one == other:
			return applyFirst
		default:
			return deleteFirst
		}
	}
	return unknown
}

// mention decides earlier contests by what happens next to their objects: an object that is
// deleted existed, and so did a namespace in which something happens.
func (s *Survey) mention(event *trace.Event, operations []operation, contested map[uint64]*contest) {
	if len(s.open) == 0 && len(s.spaces) == 0 {
		return
	}
	for _, op := range operations {
		c := s.open[op.key]
		if c == nil {
			continue
		}
		if op.deletes && contested[op.key] == nil {
			c.decide(deleteFirst)
		}
		delete(s.open, op.key)
		if c.isNamespace() {
			delete(s.spaces, c.name)
		}
	}
	for _, op := range operations {
		if c := s.spaces[objectOf(event, op).Namespace()]; c != nil {
			c.decide(deleteFirst)
			delete(s.spaces, c.name)
		}
	}
}

func (c *contest) decide(v outcome) {
	if c.outcome == unknown {
		c.outcome = v
	}
}

func (c *contest) isNamespace() bool { return c.gvk.Group == "" && c.gvk.Kind == "Namespace" }

// change brings the state up to date.
func (s *Survey) change(event *trace.Event, operations []operation, contested map[uint64]*contest) {
	for key, c := range contested {
		if c.outcome == unknown {
			s.open[key] = c
			if c.isNamespace() {
				s.spaces[c.name] = c
			}
		}
	}
	for _, op := range operations {
		object := objectOf(event, op)
		c := contested[op.key]
		switch namespace := object.Namespace(); {
		case !op.deletes:
			s.set(namespace, op.key, state{s.manifest(object), c != nil && c.outcome == unknown})
		case c != nil && c.outcome != applyFirst:
		default:
			s.remove(object, op.key)
		}
	}
}

func (s *Survey) set(namespace string, key uint64, to state) {
	in := s.live[namespace]
	if in == nil {
		in = map[uint64]state{}
		s.live[namespace] = in
	}
	in[key] = to
	delete(s.gone, key)
}

func (s *Survey) remove(object *trace.Object, key uint64) {
	delete(s.live[object.Namespace()], key)
	if gvk := object.GVK(); gvk.GroupKind() == (schema.GroupKind{Kind: "Namespace"}) {
		delete(s.live, object.Name())
	}
	if len(s.gone) < maxGone {
		s.gone[key] = trace.IndexEntry{GVK: object.GVK(), Name: object.NamespacedName()}
	}
}

// endSecond collects the objects that were both applied and deleted in the second.
func (s *Survey) endSecond() {
	if s.deletes {
		deleted, applied := map[uint64]bool{}, map[uint64]bool{}
		for _, op := range s.second {
			if op.deletes {
				deleted[op.key] = true
			}
		}
		for _, op := range s.second {
			applied[op.key] = applied[op.key] || !op.deletes && deleted[op.key]
		}
		groups := map[uint64]int{}
		for _, op := range s.second {
			if !applied[op.key] {
				continue
			}
			n, found := groups[op.key]
			if !found {
				n = len(s.groups)
				groups[op.key] = n
				s.groups = append(s.groups, nil)
			}
			s.groups[n] = append(s.groups[n], op)
		}
	}
	s.second, s.deletes = s.second[:0], false
}

// Orders returns the turns of the events that were added. The tail is that of their trace.
func (s *Survey) Orders(tail *trace.Tail) *Orders {
	s.endSecond()
	orders := &Orders{events: map[int][]Turn{}}
	if len(s.groups) == 0 {
		return orders
	}
	s.decideByTail(tail)
	extension := s.extension(tail)
	for _, g := range s.groups {
		g.turns(extension, s.contests, orders.events)
	}
	return orders
}

// extension returns the extension if its times are those of the events. Events after the last one
// that was added are no obstacle.
func (s *Survey) extension(tail *trace.Tail) *trace.Extension {
	if tail.Extension == nil {
		return nil
	}
	x, err := trace.ParseExtension(tail.Extension)
	if err != nil || len(x.EventTimes) < len(s.counts) {
		return nil
	}
	for i, count := range s.counts {
		if len(x.EventTimes[i]) != count {
			return nil
		}
	}
	return x
}

// decideByTail decides the contests that are left: by pods that started later, by the index if
// that has only the objects that exist at the end, by the order of the namespace, and if the object
// was applied as it was before.
func (s *Survey) decideByTail(tail *trace.Tail) {
	exclusive := s.indexIsExclusive(tail.Index)
	for key, c := range s.open {
		if !exclusive || s.contests[[2]uint64{uint64(c.event), key}] != c {
			continue
		}
		if _, exists := tail.Index[c.gvk][trace.NamespacedName(c.namespace, c.name)]; exists {
			c.decide(deleteFirst)
		} else {
			c.decide(applyFirst)
		}
	}
	for _, c := range s.contests {
		if startedAfter(tail.Lifecycles[trace.PodOwner{GVK: c.gvk, Name: trace.NamespacedName(c.namespace, c.name)}], c.time) {
			c.decide(deleteFirst)
		}
		if c.same {
			c.decide(deleteFirst)
		}
	}
	spaces := map[int]map[string]bool{} // those that were deleted first, by event
	for _, c := range s.contests {
		if c.isNamespace() && c.outcome == deleteFirst {
			if spaces[c.event] == nil {
				spaces[c.event] = map[string]bool{}
			}
			spaces[c.event][c.name] = true
		}
	}
	for _, c := range s.contests {
		if spaces[c.event][c.namespace] {
			c.decide(deleteFirst)
		}
	}
}

func startedAfter(lifecycles map[uint64][]trace.Lifecycle, time int64) bool {
	for _, list := range lifecycles {
		if slices.ContainsFunc(list, func(l trace.Lifecycle) bool { return l.Start > time }) {
			return true
		}
	}
	return false
}

// indexIsExclusive reports whether the index lacks objects that were deleted. Most have them.
func (s *Survey) indexIsExclusive(index trace.Index) bool {
	if len(index) == 0 {
		return false
	}
	for _, gone := range s.gone {
		if _, found := index[gone.GVK][gone.Name]; !found {
			return true
		}
	}
	return false
}
