package manifest

import "simkube.io/simkube/trace"

// life collects a pod's lifecycle from the statuses of its containers, in any order. The lifecycle
// starts with the earliest start of a container and ends with the latest end, init containers
// included. It ends only when every main container has terminated.
type life struct {
	started    bool
	start, end int64
	// terminated is the number of main containers that have terminated.
	terminated int
}

// lifecycle returns the lifecycle of a pod with so many main containers.
func (l *life) lifecycle(containers int) trace.Lifecycle {
	switch {
	case !l.started:
		return trace.Lifecycle{}
	case l.terminated > 0 && l.terminated >= containers:
		return trace.Lifecycle{State: trace.Finished, Start: l.start, End: l.end}
	}
	return trace.Lifecycle{State: trace.Running, Start: l.start}
}

// container reads the status of a container. One that has restarted has its previous run in
// lastState.
func (l *life) container(s *scanner, main bool) *Error {
	var terminated bool
	err := s.fields(func(key []byte) (err *Error) {
		switch string(key) {
		case "state":
			terminated, err = l.state(s, true)
		case "lastState":
			_, err = l.state(s, false)
		default:
			err = s.skip(4)
		}
		return err
	})
	if main && terminated {
		l.terminated++
	}
	return err
}

// state reads the state of a container. A running state counts only if it is the present state.
func (l *life) state(s *scanner, present bool) (terminated bool, err *Error) {
	err = s.fields(func(key []byte) (err *Error) {
		switch string(key) {
		case "running":
			err = l.times(s, present, false)
		case "terminated":
			terminated = s.peek() != 'n'
			err = l.times(s, true, true)
		default:
			err = s.skip(5)
		}
		return err
	})
	return terminated, err
}

// times reads the times of a container's run. The start is used if counts is set; there is an end
// if over is set.
func (l *life) times(s *scanner, counts, over bool) *Error {
	return s.fields(func(key []byte) *Error {
		starts, ends := string(key) == "startedAt", over && string(key) == "finishedAt"
		if !starts && !ends {
			return s.skip(6)
		}
		at, ok, err := s.seconds()
		switch {
		case err != nil || !ok || !counts:
		case ends:
			l.end = max(l.end, at)
		case !l.started || at < l.start:
			l.started, l.start = true, at
		}
		return err
	})
}
