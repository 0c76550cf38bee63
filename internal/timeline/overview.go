package timeline

import (
	"cmp"
	"slices"
	"sort"

	"k8s.io/apimachinery/pkg/runtime/schema"
)

// KindCount is the number of indexed objects of a kind.
type KindCount struct {
	GVK schema.GroupVersionKind
	// Objects is the number of distinct objects, Versions how often they occur, applied or deleted.
	Objects, Versions int
}

// NamespaceCount is the number of indexed objects in a namespace.
type NamespaceCount struct {
	// Name is empty for cluster-scoped objects.
	Name string
	// Objects is the number of distinct objects, Versions how often they occur, applied or deleted.
	Objects, Versions int
}

// Kinds returns the kinds that have occurred so far, those with the most objects first.
func (f *File) Kinds() []KindCount {
	f.mu.RLock()
	counts := make([]KindCount, 0, len(f.index.kinds))
	for _, k := range f.index.kinds {
		counts = append(counts, KindCount{GVK: k.gvk, Objects: k.objects, Versions: k.versions})
	}
	f.mu.RUnlock()
	slices.SortFunc(counts, func(a, b KindCount) int {
		return cmp.Or(cmp.Compare(b.Objects, a.Objects), cmp.Compare(a.GVK.String(), b.GVK.String()))
	})
	return counts
}

// Namespaces returns the namespaces that have occurred so far, those with the most objects first.
func (f *File) Namespaces() []NamespaceCount {
	f.mu.RLock()
	counts := make([]NamespaceCount, 0, len(f.index.namespaces))
	for _, n := range f.index.namespaces {
		counts = append(counts, NamespaceCount{Name: n.name, Objects: n.objects, Versions: n.versions})
	}
	f.mu.RUnlock()
	slices.SortFunc(counts, func(a, b NamespaceCount) int {
		return cmp.Or(cmp.Compare(b.Objects, a.Objects), cmp.Compare(a.Name, b.Name))
	})
	return counts
}

// Span returns the earliest and the latest time of the events so far, in unix seconds; ok is false
// if there is none.
func (f *File) Span() (from, to int64, ok bool) {
	f.mu.RLock()
	defer f.mu.RUnlock()
	return f.index.earliest, f.index.latest, f.index.events.len() > 0
}

// At returns the first event at or after a time in unix seconds, as far as indexed, or Len if there
// is none.
func (f *File) At(time int64) int {
	f.mu.RLock()
	defer f.mu.RUnlock()
	return f.index.from(time)
}

func (x *index) from(time int64) int {
	n := x.events.len()
	if !x.unordered {
		return sort.Search(n, func(i int) bool { return x.events.at(i).time >= time })
	}
	for i := range n {
		if x.events.at(i).time >= time {
			return i
		}
	}
	return n
}

// Activity returns how many objects were created, changed and deleted from a time (inclusive) to
// another (exclusive), in unix seconds, in buckets of equal length. It is empty if the interval is
// empty or buckets is not positive.
func (f *File) Activity(from, to int64, buckets int) []int {
	if buckets <= 0 || to <= from {
		return nil
	}
	f.mu.RLock()
	defer f.mu.RUnlock()
	counts := make([]int, buckets)
	bucket := activityScale{from: from, to: to, buckets: buckets}
	if f.index.unordered {
		for i := range f.index.events.len() {
			if e := f.index.events.at(i); e.time >= from && e.time < to {
				counts[bucket.of(e.time)] += f.index.eventInfo(i).Changes
			}
		}
		return counts
	}
	at := f.index.from(from)
	for b := range buckets {
		end := f.index.from(bucket.end(b))
		counts[b] = f.index.changesBefore(end) - f.index.changesBefore(at)
		at = end
	}
	return counts
}

// changesBefore returns how many objects were created, changed and deleted before an event.
func (x *index) changesBefore(event int) int {
	if event == 0 {
		return 0
	}
	return int(x.events.at(event - 1).changes)
}

// activityScale divides an interval into buckets of equal length.
type activityScale struct {
	from, to int64
	buckets  int
}

// end returns the end of a bucket, exclusive. Seconds are not divided: if there are more buckets
// than seconds, some buckets are empty.
func (s activityScale) end(bucket int) int64 {
	if bucket == s.buckets-1 {
		return s.to
	}
	// The times of a trace are arbitrary; their difference may exceed an int64.
	part := float64(uint64(s.to)-uint64(s.from)) / float64(s.buckets)
	return int64(uint64(s.from) + uint64(part*float64(bucket+1)))
}

// of returns the bucket of a time in the interval.
func (s activityScale) of(time int64) int {
	return sort.Search(s.buckets-1, func(b int) bool { return s.end(b) > time })
}
