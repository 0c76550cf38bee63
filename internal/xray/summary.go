package xray

import (
	"cmp"
	"fmt"
	"slices"

	"simkube.io/simkube/internal/timeline"
)

// changeMark is the mark of what an event does to an object, changeWord the word for it.
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

// objectName names an object in a list: kind, namespace and name.
func objectName(key timeline.Key) string {
	if key.Namespace == "" {
		return clean(key.GVK.Kind + " " + key.Name)
	}
	return clean(key.GVK.Kind + " " + key.Namespace + "/" + key.Name)
}

// namedInSummary is how many objects an event may have for them to be named one by one.
const namedInSummary = 3

// summarise says in short what happened to objects: which ones, or how many of which kind.
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

// tallied is how many objects of a kind had the same happen to them.
type tallied struct {
	change timeline.Change
	kind   string
	count  int
}

// tally counts objects, what happened most first; what did not change comes last.
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

// cacheSize is how many events' summaries are kept.
const cacheSize = 2048

// cache keeps the summaries of events, which every frame needs and which take time for large ones.
type cache struct {
	file      *timeline.File
	summaries map[summaryKey]line
}

// summaryKey is an event, and how many of its objects are listed: with a filter, more come.
type summaryKey struct{ event, objects int }

func newCache(file *timeline.File) *cache {
	return &cache{file: file, summaries: map[summaryKey]line{}}
}

func (c *cache) forget() { clear(c.summaries) }

// summary gives what an event did to the objects of it that are listed.
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

// infos gives the listed objects of an event.
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
