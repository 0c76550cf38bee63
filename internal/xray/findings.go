package xray

import (
	"cmp"
	"slices"

	"simkube.io/simkube/internal/timeline"
)

// Severity is how bad a Finding is.
type Severity uint8

// The severities, in increasing order.
const (
	SeverityNone Severity = iota
	SeverityInfo
	SeverityWarning
	SeverityError
)

// String returns the severity as a word.
func (s Severity) String() string {
	switch s {
	case SeverityInfo:
		return "info"
	case SeverityWarning:
		return "warning"
	case SeverityError:
		return "error"
	default:
		return "none"
	}
}

// Finding is something in a trace that may be a problem for a replay.
type Finding struct {
	// Event is the first event with the finding.
	Event int
	// Object is the object that it concerns. It is the zero Key if it concerns the whole event.
	Object timeline.Key
	// Code identifies the rule, such as E0002.
	Code     string
	Severity Severity
	// Field is the path in the object, if there is one.
	Field string
	// Message describes the problem, Help a remedy. Both may be long.
	Message, Help string
	// Count is the number of occurrences. 0 means 1.
	Count int
}

// findings are the findings received so far, by event.
type findings struct {
	all  []Finding
	done bool
	err  error
	// running reports whether more may come.
	running bool
	pane    pane
}

// add adds findings, which are sorted by event or nearly so.
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

// of returns the findings of an event.
func (f *findings) of(event int) []Finding {
	by := func(x Finding, event int) int { return cmp.Compare(x.Event, event) }
	from, _ := slices.BinarySearchFunc(f.all, event, by)
	to, _ := slices.BinarySearchFunc(f.all, event+1, by)
	return f.all[from:to]
}

// at returns the findings of an object in an event.
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

// about returns the findings of an object in an event or an earlier one.
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
