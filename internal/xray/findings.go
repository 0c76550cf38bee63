package xray

import (
	"cmp"
	"slices"

	"simkube.io/simkube/internal/timeline"
)

// Severity is how bad a Finding is.
type Severity uint8

// The severities, the mildest first.
const (
	SeverityNone Severity = iota
	SeverityWarning
	SeverityError
)

// String gives the word for a severity.
func (s Severity) String() string {
	switch s {
	case SeverityWarning:
		return "warning"
	case SeverityError:
		return "error"
	default:
		return "none"
	}
}

// Finding is something in a trace that a replay may stumble over.
type Finding struct {
	// Event is the first event that has it.
	Event int
	// Object is what it concerns; the zero Key: the whole event.
	Object timeline.Key
	// Code names the rule, as in E0002.
	Code     string
	Severity Severity
	// Field is the place in the object, where it has one.
	Field string
	// Message says what is wrong, Help what to do; both may be long.
	Message, Help string
	// Count is how often it occurs; 0 and 1 are once.
	Count int
}

// findings are those that came so far, by event.
type findings struct {
	all  []Finding
	done bool
	err  error
	// running says that there is somebody who looks for them.
	running bool
	pane    pane
}

// add takes more of them in. They come by event, or nearly so.
func (f *findings) add(more []Finding) {
	more = slices.Clone(more)
	byEvent := func(a, b Finding) int {
		return cmp.Or(cmp.Compare(a.Event, b.Event), cmp.Compare(b.Severity, a.Severity), cmp.Compare(a.Code, b.Code))
	}
	slices.SortStableFunc(more, byEvent)
	n := len(f.all)
	f.all = append(f.all, more...)
	if n > 0 && len(more) > 0 && byEvent(f.all[n-1], more[0]) > 0 {
		slices.SortStableFunc(f.all, byEvent)
	}
}

// of gives those of an event.
func (f *findings) of(event int) []Finding {
	by := func(x Finding, event int) int { return cmp.Compare(x.Event, event) }
	from, _ := slices.BinarySearchFunc(f.all, event, by)
	to, _ := slices.BinarySearchFunc(f.all, event+1, by)
	return f.all[from:to]
}

// at gives those of an object in an event.
func (f *findings) at(event int, key timeline.Key) []Finding {
	var out []Finding
	for _, x := range f.of(event) {
		if x.Object == key {
			out = append(out, x)
		}
	}
	return out
}

func worst(all []Finding) Severity {
	most := SeverityNone
	for _, x := range all {
		most = max(most, x.Severity)
	}
	return most
}

func (f *findings) worstOf(event int) Severity { return worst(f.of(event)) }

func (f *findings) worstAt(event int, key timeline.Key) Severity { return worst(f.at(event, key)) }

// about gives those of an object that began in an event or before it.
func (f *findings) about(event int, key timeline.Key) []Finding {
	var out []Finding
	for _, x := range f.all {
		if x.Event > event {
			break
		}
		if x.Object == key {
			out = append(out, x)
		}
	}
	return out
}
