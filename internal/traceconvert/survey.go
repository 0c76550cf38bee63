package traceconvert

import (
	"slices"
	"strings"

	"k8s.io/apimachinery/pkg/runtime/schema"

	"simkube.io/simkube/internal/tracer/manifest"
	"simkube.io/simkube/trace"
)

// found is the result of the first pass over a recording.
type found struct {
	objects map[objectKey]*object
	// kinds are all kinds: objects of one kind may be recorded in several versions.
	kinds  map[schema.GroupVersionKind]bool
	filter *filter
	opts   *Options
	// first is the start of the trace, in unix milliseconds; nil if nothing is recorded.
	first *int64
	// base is added to times since the first change, shift to all others, in milliseconds.
	base, shift int64
	// timeless: the recording has no absolute times.
	timeless bool
}

// object is the state of an object over the whole recording.
type object struct {
	gvk    schema.GroupVersionKind
	owners []objectKey
	// passes the filters.
	passes bool
}

// survey reads a recording once to find its objects.
func survey(changes walk, opts *Options) (*found, error) {
	f := &found{objects: map[objectKey]*object{}, kinds: map[schema.GroupVersionKind]bool{}, filter: newFilter(opts), opts: opts}
	var clock recordingClock
	if err := changes(func(c *change) error {
		var head manifest.Head
		if c.json != nil {
			var err error
			if head, err = manifest.ParseHead(c.json); err != nil {
				return &Error{Name: opts.Name, Where: c.where, Err: err}
			}
		}
		clock.note(c, &head)
		f.note(c, &head)
		return nil
	}); err != nil {
		return nil, err
	}
	f.setClock(&clock)
	if opts.ExcludedNamespaces == nil && clock.recorded() {
		f.filter.exclude(SystemNamespaces())
	}
	for k, o := range f.objects {
		o.passes = f.filter.passes(o.gvk, k.name)
	}
	return f, nil
}

// leftOut returns the numbers of objects that the filters leave out by their namespaces, and by
// their kinds.
func (f *found) leftOut() (namespaces, kinds map[string]int) {
	namespaces, kinds = map[string]int{}, map[string]int{}
	for k, o := range f.objects {
		namespace := namespaceOf(o.gvk, k.name)
		switch {
		case o.passes, o.gvk.Group == "" && o.gvk.Kind == "Node": // nodes are in x-simkube
		case !f.filter.passesKind(o.gvk):
			kinds[k.kind.String()]++
		case !f.filter.passesNamespace(namespace):
			namespaces[namespace]++
		}
	}
	return namespaces, kinds
}

func (f *found) note(c *change, head *manifest.Head) {
	k := key(c.gvk, c.name)
	f.kinds[c.gvk] = true
	o := f.objects[k]
	if o == nil {
		o = &object{gvk: c.gvk}
		f.objects[objectKey{k.kind, strings.Clone(k.name)}] = o
	}
	for _, ref := range head.Owners {
		gv, err := schema.ParseGroupVersion(ref.APIVersion)
		if err != nil {
			continue
		}
		kind := schema.GroupKind{Group: gv.Group, Kind: ref.Kind}
		// The owner is in the same namespace, or cluster-scoped.
		for _, owner := range []objectKey{{kind, trace.NamespacedName(head.Namespace, ref.Name)}, {kind, ref.Name}} {
			if !slices.Contains(o.owners, owner) {
				o.owners = append(o.owners, objectKey{schema.GroupKind{Group: strings.Clone(owner.kind.Group), Kind: strings.Clone(owner.kind.Kind)}, strings.Clone(owner.name)})
			}
		}
	}
}

// converted reports whether an object is in the trace.
func (f *found) converted(k objectKey) bool {
	o := f.objects[k]
	return o != nil && o.passes && (f.opts.Owned || f.top(k) == k)
}

// top returns the topmost object whose controller creates the object in a replay, or the object
// itself if there is none.
func (f *found) top(k objectKey) objectKey {
	top := k
	seen := map[objectKey]bool{k: true}
	queue := []objectKey{k}
	for len(queue) > 0 {
		o := f.objects[queue[0]]
		queue = queue[1:]
		if o == nil {
			continue
		}
		for _, owner := range o.owners {
			if seen[owner] {
				continue
			}
			seen[owner] = true
			queue = append(queue, owner)
			if other := f.objects[owner]; other != nil && other.passes && f.hasController(other.gvk) {
				top = owner
			}
		}
	}
	return top
}

// hasController reports whether controllers create objects for a kind in a simulated cluster. There
// are no controllers for custom kinds.
func (f *found) hasController(gvk schema.GroupVersionKind) bool {
	if f.opts.Config != nil {
		return len(f.opts.Config.PodSpecTemplatePaths(gvk)) > 0
	}
	return trace.KnownKind(gvk)
}

// config returns the tracer configuration for this recording.
func (f *found) config() *trace.Config {
	if f.opts.Config != nil {
		return f.opts.Config
	}
	converted := map[schema.GroupKind]bool{}
	for k := range f.objects {
		if !converted[k.kind] && f.converted(k) {
			converted[k.kind] = true
		}
	}
	config := &trace.Config{TrackedObjects: map[schema.GroupVersionKind]trace.TrackedObject{}}
	for gvk := range f.kinds {
		if !converted[gvk.GroupKind()] {
			continue
		}
		owned := !f.opts.Owned && trace.KnownKind(gvk) && (gvk.Kind == "Pod" || gvk.Kind == "ReplicaSet" || gvk.Kind == "Job")
		config.TrackedObjects[gvk] = trace.TrackedObject{TrackLifecycle: trace.KnownKind(gvk), SkipOwned: owned}
	}
	return config
}

// recordingClock determines when a recording was made.
type recordingClock struct {
	changes, states, relative bool
	// absolute: changes have absolute times; first is the time of the first.
	absolute bool
	first    int64
	// created is the latest possible start of the relative times, as far as creation times show: an
	// object is recorded no earlier than it is created. known: there was such an object.
	created int64
	known   bool
	// existed is the latest creation time of an initial object.
	existed int64
}

// recorded reports whether the input was recorded in a cluster, rather than written as manifests.
func (r *recordingClock) recorded() bool { return r.changes || r.existed > 0 || r.relative }

func (r *recordingClock) note(c *change, head *manifest.Head) {
	r.relative = r.relative || c.relative
	switch {
	case c.state:
		r.states = true
		r.existed = max(r.existed, head.CreationTimestamp*1000)
	case !c.sinceFirst:
		if !r.absolute || c.at < r.first {
			r.first = c.at
		}
		r.absolute, r.changes = true, true
	default:
		r.changes = true
		if c.created && head.CreationTimestamp > 0 {
			if at := head.CreationTimestamp*1000 - c.at; !r.known || at > r.created {
				r.created, r.known = at, true
			}
		}
	}
}

// setClock maps the recording's times to the trace's.
func (f *found) setClock(r *recordingClock) {
	if !r.changes && !r.states {
		return
	}
	start := int64(DefaultStart) * 1000
	if !f.opts.Start.IsZero() {
		start = f.opts.Start.Unix() * 1000
	}
	f.timeless = f.opts.Start.IsZero()
	switch {
	case r.absolute:
		f.timeless = false
		f.shiftTo(floorSecond(r.first))
		f.first = &r.first
	case r.relative:
		// Placeholders count from the start of the recording, changes from the first change.
		f.base = start
		if r.known {
			f.base = max(start, r.created)
		}
		f.first = &start
	default:
		// Only the objects have absolute times.
		began := r.existed
		if r.known {
			began = max(r.created, r.existed)
		}
		if began == 0 {
			f.base = start
			f.first = &start
			return
		}
		f.timeless = false
		f.shiftTo(floorSecond(began))
		f.base = began
		f.first = &began
	}
	*f.first += f.shift
}

// shiftTo moves all times so that the start of the recording becomes the requested start of the
// trace.
func (f *found) shiftTo(began int64) {
	if !f.opts.Start.IsZero() {
		f.shift = f.opts.Start.Unix()*1000 - began
	}
}

// traceTime returns the time of a change in the trace, in unix milliseconds.
func (f *found) traceTime(c *change) int64 {
	switch {
	case c.state:
		return *f.first
	case c.sinceFirst:
		return f.base + f.shift + c.at
	}
	return c.at + f.shift
}

// second moves a time in unix seconds like the times of the objects.
func (f *found) second(unix int64) int64 {
	if unix == 0 {
		return 0
	}
	return max(unix+f.shift/1000, 1)
}

// creation returns when an object was created, in unix milliseconds, or 0. The object itself has a
// resolution of seconds; if it has just been recorded, the time of the change is more exact.
func (f *found) creation(c *change, unix, at int64) int64 {
	created := f.second(unix) * 1000
	if c.created && (created == 0 || at >= created && at < created+maxDelay) {
		return at
	}
	return created
}

// maxDelay is the maximum delay until a recorder receives a change, in milliseconds. The first
// change of an older object is not its creation: it existed when the recording started.
const maxDelay = 2000

func floorSecond(ms int64) int64 {
	return ms - ((ms%1000)+1000)%1000
}
