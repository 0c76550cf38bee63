package simulation

import (
	"context"
	"slices"
	"sync"
	"time"

	"k8s.io/apimachinery/pkg/runtime/schema"

	"simkube.io/simkube/internal/replay"
	"simkube.io/simkube/internal/results"
)

const (
	// maxHold bounds how long a deletion waits for the control plane, stuckHold how long it waits if
	// nothing progresses.
	maxHold   = 10 * time.Second
	stuckHold = 5 * time.Second
)

// deletedEarly collects deviations of pods whose owners were deleted before the control plane was
// done with them. It is safe for concurrent use.
type deletedEarly struct {
	mu         sync.Mutex
	deviations []results.Deviation
}

func (d *deletedEarly) add(deviations ...results.Deviation) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.deviations = append(d.deviations, deviations...)
}

// all returns the deviations in the order of their owners.
func (d *deletedEarly) all() []results.Deviation {
	d.mu.Lock()
	defer d.mu.Unlock()
	return slices.SortedStableFunc(slices.Values(d.deviations), func(a, b results.Deviation) int {
		return a.Owner.Compare(*b.Owner)
	})
}

// beforeDelete returns what a deletion waits for. On the wall clock, at a speed above 1, an object
// exists for a shorter time than in the recording, which may be too short for the controllers and
// the scheduler: its pods would never run. So its deletion waits until they are done, and what is
// not done after that is a deviation.
func (s *session) beforeDelete() func(replay.Deletion) func(context.Context) time.Duration {
	if s.spec.Time != Real || s.spec.Speed <= 1 {
		return nil
	}
	return func(d replay.Deletion) func(context.Context) time.Duration {
		claim := false
		var scope results.Scope
		switch d.Kind {
		case schema.GroupKind{Kind: "Namespace"}:
			scope.Namespace = s.simulatedNamespace(d.Name)
		case schema.GroupKind{Kind: "PersistentVolumeClaim"}:
			// Any pod of the namespace may need it. Those that then lack it are found without a node.
			claim, scope.Namespace = true, s.simulatedNamespace(d.Namespace)
		default:
			scope.Namespace = s.simulatedNamespace(d.Namespace)
			scope.Owner = results.Owner{Namespace: d.Namespace, Kind: d.Kind.Kind, Name: d.Name}
		}
		w := catchUp{limit: maxHold, patience: stuckHold}
		return func(ctx context.Context) time.Duration {
			now := s.Clock.Now()
			if w.began.IsZero() {
				w.began, w.changed = now, now
			}
			backlog, err := s.backlog(ctx, scope)
			if backlog == nil || err != nil {
				return 0
			}
			// Other pods without a node may have had none in the recording.
			backlog.Unplaced = backlog.Trying
			if s.standIn != nil {
				busy, err := s.standIn.Busy(ctx, d.Kind, scope.Namespace, d.Name)
				if err != nil {
					return 0
				}
				if busy {
					backlog.Owners = append(backlog.Owners, results.OwnerBacklog{Owner: scope.Owner, Unseen: true})
				}
			}
			if w.done(now, backlog) {
				if !claim {
					s.deletedEarly.add(backlog.CutShort("the owner was deleted", !w.late)...)
				}
				return 0
			}
			return max(catchUpInterval, lookShare*s.Clock.Since(now))
		}
	}
}
