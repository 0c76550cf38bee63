package xray

import (
	"fmt"
	"slices"

	tea "charm.land/bubbletea/v2"

	"simkube.io/simkube/internal/timeline"
	"simkube.io/simkube/internal/words"
)

// target is what the detail shows: an object at its place, or a whole event.
type target struct {
	event    int
	place    timeline.Place
	isObject bool
}

func objectTarget(p timeline.Place) target {
	return target{event: p.Event, place: p, isObject: true}
}

// loadedMsg has what was read for a target.
type loadedMsg struct {
	target target
	object objectDetail
	event  eventDetail
	err    error
}

// objectDetail is an object at its place.
type objectDetail struct {
	key    timeline.Key
	change timeline.Change
	// version is the number of this version, from 1.
	version, versions int
	// whole is the manifest, or the one before for a deleted object.
	whole []string
	// diff is the manifest compared with the one before. hasBefore reports whether there is one.
	diff           []diffLine
	hasBefore      bool
	before         timeline.Place
	added, removed int
}

// eventDetail is an event.
type eventDetail struct{ lines []diffLine }

// load reads what the detail shows.
func load(file *timeline.File, t target) tea.Cmd {
	return func() tea.Msg {
		msg := loadedMsg{target: t}
		if t.isObject {
			msg.object, msg.err = loadObject(file, t.place)
		} else {
			msg.event.lines = eventLines(file, t.event)
		}
		return msg
	}
}

// eventLines returns what an event did: a summary by kind, then all objects.
func eventLines(file *timeline.File, event int) []diffLine {
	var out []diffLine
	objects := file.Objects(event)
	for _, t := range tally(file, objects) {
		text := right(words.Number(t.count), 7) + " " + clean(t.kind) + " " + changeWord(t.change, event)
		out = append(out, diffLine{changeMark(t.change)[0], text})
	}
	out = append(out, diffLine{' ', ""})
	for _, o := range objects {
		out = append(out, diffLine{changeMark(o.Change)[0], objectName(file.Object(o.Object))})
	}
	return out
}

func loadObject(file *timeline.File, p timeline.Place) (objectDetail, error) {
	info, ok := file.ObjectAt(p)
	if !ok {
		return objectDetail{}, fmt.Errorf("event %d: %w", p.Event+1, timeline.ErrNotIndexed)
	}
	history := file.History(info.Object)
	nth, _ := slices.BinarySearchFunc(history, p, timeline.Place.Compare)
	d := objectDetail{key: file.Object(info.Object), change: info.Change, version: nth + 1, versions: max(len(history), nth+1)}
	d.before, d.hasBefore = manifestBefore(file, p, info.Change)

	var before []string
	var err error
	if d.hasBefore {
		if before, err = manifestAt(file, d.before); err != nil {
			return d, err
		}
	}
	if p.Deleted && d.hasBefore {
		d.whole, d.diff = before, all('-', before)
	} else {
		if d.whole, err = manifestAt(file, p); err != nil {
			return d, err
		}
		d.diff = all(' ', d.whole)
		if d.hasBefore {
			d.diff = compare(before, d.whole)
		}
	}
	d.added, d.removed = changedLines(d.diff)
	return d, nil
}

// manifestBefore returns the place of the manifest to compare an object with. A created object has
// none, even if an earlier object had its name.
func manifestBefore(file *timeline.File, p timeline.Place, change timeline.Change) (timeline.Place, bool) {
	if change == timeline.Created {
		return timeline.Place{}, false
	}
	for before, ok := file.Previous(p); ok; before, ok = file.Previous(before) {
		if !before.Deleted {
			return before, true
		}
	}
	return timeline.Place{}, false
}

func manifestAt(file *timeline.File, p timeline.Place) ([]string, error) {
	obj, err := file.ObjectManifest(p)
	if err != nil {
		return nil, err
	}
	return manifest(obj)
}
