package xray

import (
	"cmp"
	"fmt"
	"slices"

	"simkube.io/simkube/internal/timeline"
)

// changeMark returns the mark of what an event does to an object, changeWord the word for it.
func changeMark(c timeline.Change) string {
	switch c {
	case timeline.Created:
		return "+"
	case timeline.Changed:
		return "~"
	case timeline.Deleted:
		return "-"
	default:
		return "="
	}
}

func changeWord(c timeline.Change, event int) string {
	switch {
	case c == timeline.Created && event == 0:
		return "at start"
	case c == timeline.Created:
		return "new"
	case c == timeline.Unchanged:
		return "same"
	}
	return c.String()
}

func changeRole(c timeline.Change) role {
	switch c {
	case timeline.Created:
		return roleAdded
	case timeline.Changed:
		return roleChanged
	case timeline.Deleted:
		return roleRemoved
	default:
		return roleDim
	}
}

// objectName returns the name of an object in a list: kind, namespace and name.
func objectName(key timeline.Key) string {
	if key.Namespace == "" {
		return clean(key.GVK.Kind + " " + key.Name)
	}
	return clean(key.GVK.Kind + " " + key.Namespace + "/" + key.Name)
}

// namedInSummary is the maximum number of objects of an event that a summary names.
const namedInSummary = 3

// summarise returns a short description of what happened to objects: their names, or their numbers
// by kind.
func summarise(file *timeline.File, objects []timeline.ObjectInfo) line {
	var l line
	if len(objects) <= namedInSummary {
		for i, o := range objects {
			if i > 0 {
				l.add(rolePlain, "  ")
			}
			l.add(changeRole(o.Change), changeMark(o.Change))
			l.add(rolePlain, objectName(file.Object(o.Object)))
		}
		return l
	}
	for i, t := range tally(file, objects) {
		if i > 0 {
			l.add(rolePlain, "  ")
		}
		l.add(changeRole(t.change), changeMark(t.change))
		l.add(rolePlain, fmt.Sprintf("%d %s", t.count, clean(t.kind)))
	}
	return l
}

// tallied is how many objects of a kind changed in the same way.
type tallied struct {
	change timeline.Change
	kind   string
	count  int
}

// tally counts objects, the most frequent change first and unchanged ones last.
func tally(file *timeline.File, objects []timeline.ObjectInfo) []tallied {
	counts := map[tallied]int{}
	for _, o := range objects {
		counts[tallied{change: o.Change, kind: file.Object(o.Object).GVK.Kind}]++
	}
	out := make([]tallied, 0, len(counts))
	for t, n := range counts {
		t.count = n
		out = append(out, t)
	}
	slices.SortFunc(out, func(a, b tallied) int {
		if same := a.change == timeline.Unchanged; same != (b.change == timeline.Unchanged) {
			if same {
				return 1
			}
			return -1
		}
		return cmp.Or(cmp.Compare(b.count, a.count), cmp.Compare(a.change, b.change), cmp.Compare(a.kind, b.kind))
	})
	return out
}

// cacheSize is how many summaries are kept.
const cacheSize = 2048

// cache keeps the summaries of events. Every frame needs them, and computing large ones takes time.
type cache struct {
	file      *timeline.File
	summaries map[summaryKey]line
}

// summaryKey is an event, and how many of its objects are listed, which grows while a filter runs.
type summaryKey struct{ event, objects int }

func newCache(file *timeline.File) *cache {
	return &cache{file: file, summaries: map[summaryKey]line{}}
}

func (c *cache) forget() { clear(c.summaries) }

// summary returns the summary of the listed objects of an event.
func (c *cache) summary(l *list, nth int) line {
	key := summaryKey{l.event(nth), l.objects(nth)}
	if known, ok := c.summaries[key]; ok {
		return known
	}
	if len(c.summaries) >= cacheSize {
		c.forget()
	}
	made := summarise(c.file, l.infos(nth))
	c.summaries[key] = made
	return made
}

// infos returns the listed objects of an event.
func (l *list) infos(nth int) []timeline.ObjectInfo {
	if l.found == nil {
		return l.file.Objects(l.event(nth))
	}
	var out []timeline.ObjectInfo
	for i := range l.objects(nth) {
		if info, ok := l.file.ObjectAt(l.found.place(nth, i)); ok {
			out = append(out, info)
		}
	}
	return out
}
