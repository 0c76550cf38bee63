package timeline

import (
	"cmp"
	"slices"
	"sort"

	"k8s.io/apimachinery/pkg/runtime/schema"
)

// KindCount is how much of a kind is indexed.
type KindCount struct {
	GVK schema.GroupVersionKind
	// Objects are the distinct ones, Versions how often they occur, applied or deleted.
	Objects, Versions int
}

// NamespaceCount is how much of a namespace is indexed.
type NamespaceCount struct {
	// Name is empty for cluster-scoped objects.
	Name string
	// Objects are the distinct ones, Versions how often they occur, applied or deleted.
	Objects, Versions int
}

// Kinds gives the kinds that occur so far, those with the most objects first.
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

// Namespaces gives the namespaces that occur so far, those with the most objects first.
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

// Span gives the earliest and the latest time of the events so far, in unix seconds; ok is false while there is none.
func (f *File) Span() (from, to int64, ok bool) {
	f.mu.RLock()
	defer f.mu.RUnlock()
	return f.index.earliest, f.index.latest, f.index.events.len() > 0
}

// At gives the first event at or after a time in unix seconds, as far as is indexed, and Len where there is none.
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

// Activity gives how many objects were created, changed and deleted between two times in unix seconds, from inclusive and to
// exclusive, in as many parts of equal length. It is empty where there is no time or no part.
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

// changesBefore gives how many objects were created, changed and deleted before an event.
func (x *index) changesBefore(event int) int {
	if event == 0 {
		return 0
	}
	return int(x.events.at(event - 1).changes)
}

// activityScale divides a time into buckets of equal length.
type activityScale struct {
	from, to int64
	buckets  int
}

// end gives the first second that is not in a bucket or one before it. Seconds are not divided: where there are more buckets than
// seconds, some have none.
func (s activityScale) end(bucket int) int64 {
	if bucket == s.buckets-1 {
		return s.to
	}
	// Times are anything a trace says; their distance may be beyond an int64.
	part := float64(uint64(s.to)-uint64(s.from)) / float64(s.buckets)
	return int64(uint64(s.from) + uint64(part*float64(bucket+1)))
}

// of gives the bucket of a time between from and to.
func (s activityScale) of(time int64) int {
	return sort.Search(s.buckets-1, func(b int) bool { return s.end(b) > time })
}
