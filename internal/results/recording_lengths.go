package results

import (
	"cmp"
	"math"
	"slices"
	"time"
)

// deletionGrace is by how much a pod that is deleted may end earlier than recorded: containers have
// this time to stop in a cluster with kubelets.
const deletionGrace = 35 * time.Second

// lengths are the lengths of the pods of one owner, in seconds of the trace.
type lengths struct {
	// recorded has the shortest and the longest length that agrees with the recording.
	recorded []span
	// ended are pods that ended, open those that still run, with how long they ran.
	ended, open []float64
}

type span struct{ least, most float64 }

// ends is how many pods ended earlier and later than recorded, and by how much at most.
type ends struct {
	early, late     int
	earlyBy, lateBy float64
}

func (e *ends) add(recorded span, ran float64) {
	if ran < recorded.least {
		e.early++
		e.earlyBy = max(e.earlyBy, recorded.least-ran)
		return
	}
	e.late++
	e.lateBy = max(e.lateBy, ran-recorded.most)
}

// lifetimeSpan returns the lengths that agree with a recorded lifetime. A pod that ran before the
// trace began may have its whole length or the rest of it.
func lifetimeSpan(l Lifetime, r *Recording) span {
	begin := l.Start
	if begin.Before(r.Start) {
		begin = r.Start
	}
	if l.runsOn() {
		return span{max(r.End.Sub(begin).Seconds(), 0), math.Inf(1)}
	}
	return span{max(l.End.Sub(begin).Seconds(), 0), max(l.End.Sub(l.Start).Seconds(), 0)}
}

// compare matches pods with recorded ones, each with at most one, and returns those that have
// another length than any recorded pod that is left. early and late are the tolerances in seconds.
// If the numbers differ, pods or recorded ones are left over, which is not counted here.
func (l *lengths) compare(early, late float64) ends {
	slices.SortFunc(l.recorded, func(a, b span) int { return cmp.Or(cmp.Compare(a.least, b.least), cmp.Compare(a.most, b.most)) })
	slices.Sort(l.ended)
	slices.Sort(l.open)
	var finished, running []span
	for _, s := range l.recorded {
		if math.IsInf(s.most, 1) {
			running = append(running, s)
		} else {
			finished = append(finished, s)
		}
	}
	finished, ended := match(finished, l.ended, early, late)
	n := min(len(running), len(l.open))
	running, open := running[:len(running)-n], l.open[:len(l.open)-n]
	running, ended = match(running, ended, early, late)
	// A pod that started late has not had the time to end.
	finished, open = matchOpen(finished, open, late)

	var e ends
	left, pods := slices.Concat(finished, running), slices.Concat(ended, open)
	slices.Sort(pods)
	for i := range min(len(left), len(pods)) {
		e.add(left[i], pods[i])
	}
	return e
}

// match matches recorded lengths with lengths, both in ascending order, and returns what is left.
func match(recorded []span, ran []float64, early, late float64) (left []span, other []float64) {
	for len(recorded) > 0 && len(ran) > 0 {
		switch {
		case ran[0] < recorded[0].least-early:
			other, ran = append(other, ran[0]), ran[1:]
		case ran[0] > recorded[0].most+late:
			left, recorded = append(left, recorded[0]), recorded[1:]
		default:
			recorded, ran = recorded[1:], ran[1:]
		}
	}
	return append(left, recorded...), append(other, ran...)
}

// matchOpen matches recorded lengths with pods that are still running and may reach them, the
// longest first, and returns what is left in ascending order.
func matchOpen(recorded []span, open []float64, late float64) (left []span, other []float64) {
	for i := len(open) - 1; i >= 0; i-- {
		last := len(recorded) - 1
		if last >= 0 && open[i] <= recorded[last].most+late {
			recorded = recorded[:last]
			continue
		}
		other = append(other, open[i])
	}
	slices.Reverse(other)
	return recorded, other
}
