package lifecycle

import (
	"cmp"
	"time"

	"simkube.io/simkube/trace"
)

// Compare orders two observations of one pod: Empty is less than all others, and Running is less
// than Finished with the same start. Observations with different starts, or with the same start and
// different ends, are not comparable: ok is false.
func Compare(a, b trace.Lifecycle) (order int, ok bool) {
	if a == b || a.State == trace.Empty || b.State == trace.Empty {
		return cmp.Compare(a.State, b.State), true
	}
	if a.Start != b.Start || a.State == b.State {
		return 0, false
	}
	return cmp.Compare(a.State, b.State), true
}

// Merge returns the lifecycle of a pod that was observed again: the greater of the two
// observations, or the first if they are not comparable. A pod whose containers crash and restart
// keeps its first start.
func Merge(known, observed trace.Lifecycle) trace.Lifecycle {
	if order, ok := Compare(known, observed); ok && order < 0 {
		return observed
	}
	return known
}

// Duration returns how long a pod ran, and false if it did not finish. It returns 0 for an end
// before the start.
func Duration(l trace.Lifecycle) (time.Duration, bool) {
	if l.State != trace.Finished {
		return 0, false
	}
	return time.Duration(max(0, l.End-l.Start)) * time.Second, true
}

// Overlaps reports whether a lifecycle overlaps the window [start, end). An Empty lifecycle does
// not. A pod that finished in the second in which the window starts does, since a time is a whole
// second.
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

// Truncate returns a lifecycle that starts at start if it started before.
func Truncate(l trace.Lifecycle, start int64) trace.Lifecycle {
	if l.State != trace.Empty {
		l.Start = max(l.Start, start)
	}
	return l
}
