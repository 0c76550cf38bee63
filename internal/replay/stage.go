package replay

import (
	"slices"

	"simkube.io/simkube/internal/order"
)

// stage is a rank of an event.
type stage struct {
	// gate holds back the tasks of the rank until those of earlier stages were tried.
	gate gate
	// untried is the number of tasks that later stages wait for and that were not tried.
	untried int
}

// stagesOf returns the stages of the tasks of an event, and sets the stage of each task.
func stagesOf(tasks []*task) []stage {
	if len(tasks) == 1 {
		return []stage{{untried: 1}}
	}
	// The order of one object's tasks is kept: a task behind one that waits must wait too.
	last := map[objectKey]rank{}
	var ranks []rank
	again := false
	for _, t := range tasks {
		again = again || t.rank == rankFormerScopes
		t.rank = max(t.rank, last[t.key])
		last[t.key] = t.rank
		if at, found := slices.BinarySearch(ranks, t.rank); !found {
			ranks = slices.Insert(ranks, at, t.rank)
		}
	}
	stages := make([]stage, len(ranks))
	for _, t := range tasks {
		t.stage, _ = slices.BinarySearch(ranks, t.rank)
		t.holds = t.stage
		if t.rank == rankDeletions && !again {
			// Only workloads wait for deletions, and for the capacity they free.
			t.holds, _ = slices.BinarySearch(ranks, rankWorkloads)
			t.holds--
		}
		if !t.loose() {
			stages[t.holds].untried++
		}
	}
	return stages
}

// arrange returns the tasks of an event in the order in which they are added to the queue: as they
// are in the trace, and those with a turn last and in the order of the turns.
func arrange(tasks []*task, turns []order.Turn) []*task {
	if len(turns) == 0 {
		return tasks
	}
	byObject := make(map[int]*task, len(turns))
	for _, t := range tasks {
		byObject[t.object] = t
	}
	var moved []*task
	previous := map[objectKey]*task{}
	for _, turn := range turns {
		t := byObject[turn.Object]
		if t == nil {
			continue
		}
		t.after = turn.After
		switch before := previous[t.key]; {
		case t.verb == Delete && before != nil && turn.Guessed:
			before.deletion = t
		case t.verb == Apply && before != nil && before.verb == Delete && isScope(t.key.kind):
			before.rank = rankFormerScopes
		}
		previous[t.key] = t
		moved = append(moved, t)
		delete(byObject, turn.Object)
	}
	kept := slices.DeleteFunc(tasks, func(t *task) bool { return byObject[t.object] == nil })
	return append(kept, moved...)
}

// loose reports whether no other object waits for the task, because it has its turn some time after
// its event.
func (t *task) loose() bool { return t.after > 0 && !isScope(t.key.kind) }
