package traceinfo

import (
	"cmp"
	"iter"
	"maps"
	"slices"
	"time"

	"github.com/cespare/xxhash/v2"
	"k8s.io/apimachinery/pkg/runtime/schema"

	"simkube.io/simkube/trace"
)

// Source is a trace.Reader, or what behaves like one.
type Source interface {
	Version() int
	Config() *trace.Config
	Tail() (*trace.Tail, error)
}

// Collect reads the events of a trace, then its tail. It holds a few numbers for each object and
// each event.
func Collect(reader Source, events iter.Seq2[*trace.Event, error]) (*Info, error) {
	c := collector{requestsByKey: map[uint64]requests{}, config: reader.Config(), kinds: map[schema.GroupVersionKind]*kindState{}, info: Info{Version: reader.Version()}}
	for event, err := range events {
		if err != nil {
			return nil, err
		}
		c.event(event)
	}
	tail, err := reader.Tail()
	if err != nil {
		return nil, err
	}
	c.config = reader.Config() // read by now, wherever it is in the file
	c.totals()
	c.tail(tail)
	return &c.info, nil
}

// collector collects the information while it walks over a trace.
type collector struct {
	info   Info
	config *trace.Config
	kinds  map[schema.GroupVersionKind]*kindState
	// last and max are times of events.
	last, max int64
	// counts are the numbers of objects of each event.
	counts        []uint32
	totalRequests requests
	// requestsByKey caches the requests of a pod; see resourceKey.
	requestsByKey map[uint64]requests
}

// kindState is the state of a kind.
type kindState struct {
	Kind
	gvk     schema.GroupVersionKind
	paths   []string
	objects map[string]*object
}

// object is the state of an object.
type object struct {
	// content is a hash of the bytes of the spec. It is cheaper than the manifest hash, which is only
	// computed when content changes.
	content, hash    uint64
	applied, isAlive bool
	requested        requests
	// pods are the pod hashes that a bare pod has had.
	pods []uint64
}

func (c *collector) kind(gvk schema.GroupVersionKind) *kindState {
	k := c.kinds[gvk]
	if k == nil {
		k = &kindState{Kind: Kind{Kind: trace.FormatGVK(gvk)}, gvk: gvk, paths: c.config.PodSpecTemplatePaths(gvk), objects: map[string]*object{}}
		c.kinds[gvk] = k
	}
	return k
}

func (k *kindState) object(name string) *object {
	o := k.objects[name]
	if o == nil {
		o = new(object)
		k.objects[name] = o
	}
	return o
}

func (c *collector) event(event *trace.Event) {
	switch {
	case len(c.counts) == 0:
		c.info.Start = time.Unix(event.Time, 0).UTC()
		c.max = event.Time
	case event.Time < c.last:
		c.info.Checks.OutOfOrder++
	}
	c.last = event.Time
	c.max = max(c.max, event.Time)
	c.counts = append(c.counts, uint32(len(event.Applied)+len(event.Deleted)))
	for i := range event.Applied {
		c.apply(&event.Applied[i])
	}
	for i := range event.Deleted {
		obj := &event.Deleted[i]
		k := c.kind(obj.GVK())
		k.Deleted++
		k.ManifestBytes += int64(len(obj.Raw()))
		o := k.object(obj.NamespacedName())
		c.totalRequests.sub(o.requested)
		o.isAlive, o.requested = false, requests{}
	}
	c.notePeaks(event.Time)
}

func (c *collector) apply(obj *trace.Object) {
	k := c.kind(obj.GVK())
	k.Applied++
	k.ManifestBytes += int64(len(obj.Raw()))
	o := k.object(obj.NamespacedName())
	content := xxhash.Sum64(obj.Spec())
	if o.applied && o.content == content && o.isAlive {
		return
	}
	if !o.applied || o.content != content {
		o.hash = obj.Hash()
	}
	o.applied, o.isAlive, o.content = true, true, content
	if len(k.paths) == 0 {
		return
	}
	c.totalRequests.sub(o.requested)
	var ok bool
	if o.requested, ok = c.requestsOf(k, o, obj); !ok {
		c.info.Peak.Unreadable++
	}
	c.totalRequests.add(o.requested)
}

func (c *collector) notePeaks(now int64) {
	for _, p := range []struct {
		totalRequests int64
		max           *int64
		at            *time.Time
	}{
		{c.totalRequests.cpuMillis, &c.info.Peak.CPUMillis, &c.info.Peak.CPUAt},
		{c.totalRequests.memoryBytes, &c.info.Peak.MemoryBytes, &c.info.Peak.MemoryAt},
		{c.totalRequests.pods, &c.info.Peak.Pods, &c.info.Peak.PodsAt},
	} {
		if p.totalRequests > *p.max {
			*p.max, *p.at = p.totalRequests, time.Unix(now, 0).UTC()
		}
	}
}

// totals computes the totals of the events.
func (c *collector) totals() {
	info := &c.info
	info.Events = len(c.counts)
	if info.Events > 0 {
		info.End = time.Unix(c.max, 0).UTC()
		info.DurationSeconds = max(c.max-info.Start.Unix(), 0)
	}
	namespaces := map[string]int{}
	info.Kinds = []Kind{}
	for _, k := range c.kinds {
		k.Objects = len(k.objects)
		info.Kinds = append(info.Kinds, k.Kind)
		info.Applied += k.Applied
		info.Deleted += k.Deleted
		info.Objects += k.Objects
		info.ManifestBytes += k.ManifestBytes
		for name := range k.objects {
			namespace, _ := trace.SplitNamespacedName(name)
			namespaces[namespace]++
		}
		if isDaemonSet(k.gvk) {
			info.Peak.DaemonSets = k.Objects
		}
	}
	slices.SortFunc(info.Kinds, func(a, b Kind) int { return cmp.Compare(a.Kind, b.Kind) })
	info.Namespaces = []Namespace{}
	for _, name := range slices.Sorted(maps.Keys(namespaces)) {
		info.Namespaces = append(info.Namespaces, Namespace{Name: name, Objects: namespaces[name]})
	}
	info.Config.TrackedObjects = map[string]TrackedObject{}
	for gvk, tracked := range c.config.TrackedObjects {
		info.Config.TrackedObjects[trace.FormatGVK(gvk)] = TrackedObject(tracked)
	}
}
