package lifecycle

import (
	"cmp"
	"time"

	"simkube.io/simkube/trace"
)

// Compare orders two observations of one pod by how much they know: Empty is less than anything else,
// Running less than Finished with the same start. Observations with different starts, or different ends
// of the same start, are not comparable, and ok is false.
func Compare(a, b trace.Lifecycle) (order int, ok bool) {
	if a == b || a.State == trace.Empty || b.State == trace.Empty {
		return cmp.Compare(a.State, b.State), true
	}
	if a.Start != b.Start || a.State == b.State {
		return 0, false
	}
	return cmp.Compare(a.State, b.State), true
}

// Merge gives what is known of a pod after it was observed again: the observation that knows more, and of
// two that cannot be compared the first. A pod whose containers crash and start again so keeps its first
// start.
func Merge(known, observed trace.Lifecycle) trace.Lifecycle {
	if order, ok := Compare(known, observed); ok && order < 0 {
		return observed
	}
	return known
}

// Duration gives how long a pod ran, and false for one that did not finish. A trace with an end before
// its start gives 0.
func Duration(l trace.Lifecycle) (time.Duration, bool) {
	if l.State != trace.Finished {
		return 0, false
	}
	return time.Duration(max(0, l.End-l.Start)) * time.Second, true
}

// Overlaps tells whether any of a lifecycle falls into the window [start, end). An Empty one never does. A
// pod that finished in the second the window starts does: its last second is in it.
func Overlaps(l trace.Lifecycle, start, end int64) bool {
	switch l.State {
	case trace.Running:
		return l.Start < end
	case trace.Finished:
		return l.Start < end && l.End >= start
	default:
		return false
	}
}

// Truncate moves a start before the window that begins at start to it.
func Truncate(l trace.Lifecycle, start int64) trace.Lifecycle {
	if l.State != trace.Empty {
		l.Start = max(l.Start, start)
	}
	return l
}
