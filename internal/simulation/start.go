package simulation

import (
	"fmt"
	"time"

	"simkube.io/simkube/internal/replay"
	"simkube.io/simkube/internal/results"
)

// startLead is how far in the future the first event of a new run is due, so that it is prepared by
// then.
const startLead = 250 * time.Millisecond

// Start is where a run starts: at the first event of the trace, or where an earlier process
// stopped. The zero Start is that of a new run that is never paused.
type Start struct {
	// Resume is how far an earlier process came; nil means that the run is new. It is ignored if its
	// root is gone.
	Resume *Checkpoint
	// Pause pauses the replay; nil means that nobody does. It may be paused already, and a pause
	// before the replay starts shifts a new run no further.
	Pause *replay.Pauser
	// PausedSince is when the present pause began, which Pause need not know: there may have been no
	// process then. It is zero if there is no pause, and is read only with Resume.
	PausedSince time.Time
}

// clockStart returns when the first event of the trace is due, before Pause shifts it, and a note
// for the user, which may be empty.
func (s *Start) clockStart(p *Prepared, now time.Time) (start time.Time, note string) {
	if s.Resume == nil {
		start, note = p.firstEvent(now)
		return start.Add(-s.shift()), note
	}
	start = s.Resume.ClockStart.Add(s.Resume.Shift)
	if since := s.pausedSince(); !since.IsZero() {
		// The pause lasts until now, and Pause counts some of that as well.
		start = start.Add(max(0, now.Sub(since)) - s.shift())
	}
	return start, ""
}

// pausedSince returns since when the replay is paused, as far as the checkpoint does not count it,
// and the zero time if it is not. A pause at the checkpoint lasts until now: no process was there
// to notice its end. The rest of the time without a process is not a pause: what was due then is
// late.
func (s *Start) pausedSince() time.Time {
	at := s.Resume.At
	switch {
	case s.Resume.Paused:
		return at
	case s.PausedSince.After(at), s.PausedSince.IsZero():
		return s.PausedSince
	}
	return at
}

// firstEvent returns when the first event of a new run is due: soon, or when the clock shows the
// recorded time if that is wanted. The note says if that is not possible.
func (p *Prepared) firstEvent(now time.Time) (start time.Time, note string) {
	soon := now.Add(startLead)
	if p.spec.Time == Virtual {
		recorded := p.ClockOrigin()
		if recorded.Before(soon) {
			return soon, fmt.Sprintf(
				"the cluster took until %s after the trace's first event to be ready: the clock is that much ahead of the recording, and so are CronJobs",
				soon.Sub(recorded))
		}
		return recorded, ""
	}
	if !p.spec.Align || !p.cronJobs || p.spec.Speed != 1 {
		return soon, ""
	}
	second := p.ClockOrigin().Second()
	start = soon.Truncate(time.Minute).Add(time.Duration(second) * time.Second)
	if start.Before(soon) {
		start = start.Add(time.Minute)
	}
	return start, ""
}

// done returns how many leading events are not replayed.
func (s *Start) done() int {
	if s.Resume == nil {
		return 0
	}
	return s.Resume.Done
}

// numbers returns how many pods each owner has had.
func (s *Start) numbers() map[string]int {
	if s.Resume == nil {
		return nil
	}
	return s.Resume.Numbers
}

// shift returns how long Pause has paused the replay.
func (s *Start) shift() time.Duration {
	if s.Pause == nil {
		return 0
	}
	return s.Pause.Shift()
}

// paused reports whether the replay is paused.
func (s *Start) paused() bool { return s.Pause != nil && s.Pause.Paused() }

// pauses returns when Pause paused the replay.
func (s *Start) pauses() []results.Span {
	if s.Pause == nil {
		return nil
	}
	var spans []results.Span
	for _, pause := range s.Pause.Pauses() {
		spans = append(spans, results.Span(pause))
	}
	return spans
}
