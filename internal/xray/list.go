package xray

import (
	"sort"

	"simkube.io/simkube/internal/timeline"
)

// list is the timeline: the events, with the objects of open events. It may have a million events,
// so every method works on the visible part only.
type list struct {
	file *timeline.File
	// found are the places that match the filter, or nil if there is no filter.
	found *places
	open  map[int]bool
	// at is the row of the cursor, top the first row on the screen.
	at, top row
	height  int
	cache   *cache
}

// row is a row of the list: an event, by its number among those listed, or one of its objects.
type row struct {
	nth int
	// object is the number of the object among those listed of the event, or -1 for the event itself.
	object int
}

func (r row) before(other row) bool {
	return r.nth < other.nth || r.nth == other.nth && r.object < other.object
}

func newList(file *timeline.File) list {
	return list{file: file, open: map[int]bool{}, at: row{0, -1}, top: row{0, -1}, cache: newCache(file)}
}

// events returns the number of listed events.
func (l *list) events() int {
	if l.found != nil {
		return len(l.found.events)
	}
	return l.file.Len()
}

// event returns the number in the trace of a listed event.
func (l *list) event(nth int) int {
	if l.found != nil {
		return int(l.found.events[nth])
	}
	return nth
}

// objects returns how many objects of an event are in the list, whether they are shown or not.
func (l *list) objects(nth int) int {
	if l.found != nil {
		return l.found.count(nth)
	}
	info := l.file.Info(nth)
	return info.Applied + info.Deleted
}

// counts returns how many of the listed objects of an event are applied and how many deleted.
func (l *list) counts(nth int) (applied, deleted int) {
	if l.found == nil {
		info := l.file.Info(nth)
		return info.Applied, info.Deleted
	}
	n := l.found.count(nth)
	for applied < n && !l.found.place(nth, applied).Deleted {
		applied++
	}
	return applied, n - applied
}

// place returns the place in the trace of an object's row.
func (l *list) place(r row) timeline.Place {
	if l.found != nil {
		return l.found.place(r.nth, r.object)
	}
	if info := l.file.Info(r.nth); r.object >= info.Applied {
		return timeline.Place{Event: r.nth, Index: r.object - info.Applied, Deleted: true}
	}
	return timeline.Place{Event: r.nth, Index: r.object}
}

// shown returns how many rows of objects an event has.
func (l *list) shown(nth int) int {
	if !l.open[l.event(nth)] {
		return 0
	}
	return l.objects(nth)
}

func (l *list) next(r row) (row, bool) {
	switch {
	case r.nth >= l.events():
		return r, false
	case r.object+1 < l.shown(r.nth):
		return row{r.nth, r.object + 1}, true
	case r.nth+1 < l.events():
		return row{r.nth + 1, -1}, true
	}
	return r, false
}

func (l *list) previous(r row) (row, bool) {
	switch {
	case r.object >= 0:
		return row{r.nth, r.object - 1}, true
	case r.nth > 0 && r.nth <= l.events():
		return row{r.nth - 1, l.shown(r.nth-1) - 1}, true
	}
	return r, false
}

// move moves the cursor down by so many rows, or up.
func (l *list) move(n int) {
	l.at = l.step(l.at, n)
	l.show()
}

// scroll moves the visible part. The cursor moves only if it would not be visible any more.
func (l *list) scroll(n int) {
	l.top = l.step(l.top, n)
	l.fillScreen()
	last := l.step(l.top, max(0, l.height-1))
	switch {
	case l.at.before(l.top):
		l.at = l.top
	case last.before(l.at):
		l.at = last
	}
}

func (l *list) step(r row, n int) row {
	step := l.next
	if n < 0 {
		step, n = l.previous, -n
	}
	for range n {
		next, ok := step(r)
		if !ok {
			break
		}
		r = next
	}
	return r
}

// first and last move the cursor to the ends.
func (l *list) first() {
	l.at = row{0, -1}
	l.show()
}

func (l *list) last() {
	if n := l.events(); n > 0 {
		l.at = row{n - 1, l.shown(n-1) - 1}
	}
	l.show()
}

// show scrolls to the cursor.
func (l *list) show() {
	l.clamp()
	if l.at.before(l.top) {
		l.top = l.at
	}
	r := l.top
	for range l.height - 1 {
		if r == l.at {
			l.fillScreen()
			return
		}
		r = l.step(r, 1)
	}
	if r != l.at {
		l.top = l.step(l.at, -max(0, l.height-1))
	}
	l.fillScreen()
}

// center moves the cursor to the middle of the screen if it was not visible.
func (l *list) center() {
	l.clamp()
	last := l.step(l.top, max(0, l.height-1))
	if l.at.before(l.top) || last.before(l.at) {
		l.top = l.step(l.at, -l.height/2)
	}
	l.show()
}

// fillScreen avoids empty rows below while there are hidden ones above.
func (l *list) fillScreen() {
	r, have := l.top, 1
	for have < l.height {
		next, ok := l.next(r)
		if !ok {
			break
		}
		r, have = next, have+1
	}
	l.top = l.step(l.top, -max(0, l.height-have))
}

// clamp fits the cursor and the visible part to a list that has changed.
func (l *list) clamp() {
	for _, r := range []*row{&l.at, &l.top} {
		n := l.events()
		switch {
		case n == 0:
			*r = row{0, -1}
		case r.nth >= n:
			*r = row{n - 1, l.shown(n-1) - 1}
		case r.object >= l.shown(r.nth):
			r.object = l.shown(r.nth) - 1
		}
	}
}

// current returns the event and the object at the cursor: the object of its row, or an event's only
// object.
func (l *list) current() (event int, place timeline.Place, onObject, ok bool) {
	if l.at.nth >= l.events() {
		return 0, timeline.Place{}, false, false
	}
	event = l.event(l.at.nth)
	switch {
	case l.at.object >= 0:
		return event, l.place(l.at), true, true
	case l.only(l.at.nth):
		return event, l.place(row{l.at.nth, 0}), true, true
	}
	return event, timeline.Place{}, false, true
}

// setOpen shows or hides the objects of the cursor's event.
func (l *list) setOpen(open bool) {
	if l.at.nth >= l.events() {
		return
	}
	if event := l.event(l.at.nth); open {
		l.open[event] = true
	} else {
		delete(l.open, event)
		l.at.object = -1
	}
	l.show()
}

func (l *list) isOpen() bool {
	return l.at.nth < l.events() && l.open[l.event(l.at.nth)]
}

// goToEvent moves the cursor to an event or the next listed one. It reports whether there is one.
func (l *list) goToEvent(event int) bool {
	n := l.events()
	nth := event
	if l.found != nil {
		nth = sort.Search(n, func(i int) bool { return l.event(i) >= event })
	}
	if n == 0 {
		return false
	}
	l.at = row{min(nth, n-1), -1}
	l.center()
	return nth < n
}

// only reports whether an event has a single object in the list. Its row stands for both.
func (l *list) only(nth int) bool { return l.objects(nth) == 1 }

// goToPlace moves the cursor to an object, if it is listed, and opens its event if that has others.
func (l *list) goToPlace(p timeline.Place) bool {
	r := row{nth: p.Event, object: p.Index}
	if l.found != nil {
		var ok bool
		if r, ok = l.found.row(p); !ok {
			return false
		}
	} else {
		if p.Event >= l.events() {
			return false
		}
		if p.Deleted {
			r.object += l.file.Info(p.Event).Applied
		}
	}
	if l.only(r.nth) && !l.open[p.Event] {
		r.object = -1
	} else {
		l.open[p.Event] = true
	}
	l.at = r
	l.center()
	return true
}

// setFound changes the filter. The cursor stays at its event, or moves to the next one.
func (l *list) setFound(found *places) {
	event, place, onObject, ok := l.current()
	l.found = found
	l.cache.forget()
	if !ok {
		l.clamp()
		l.show()
		return
	}
	if onObject && l.goToPlace(place) {
		return
	}
	l.goToEvent(event)
}

// rowAt returns the row on a line of the screen.
func (l *list) rowAt(y int) (row, bool) {
	r := l.top
	if y < 0 || l.events() == 0 {
		return r, false
	}
	for range y {
		next, ok := l.next(r)
		if !ok {
			return r, false
		}
		r = next
	}
	return r, true
}
