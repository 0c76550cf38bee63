package controller

import (
	"context"
	"errors"
	"fmt"
	"time"

	apiequality "k8s.io/apimachinery/pkg/api/equality"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/util/wait"

	simkubev1 "simkube.io/simkube/api/v1"
)

// errHooksChanged is returned when the records in the status were changed by somebody else, such as
// a second controller.
var errHooksChanged = errors.New("another process runs hooks of this simulation")

// hookRecords stores in the status which hooks were started.
type hookRecords struct{ s *session }

func (r *hookRecords) Records() []simkubev1.HookRecord { return r.s.status().Hooks }

// Save writes the records, unless they were changed meanwhile by somebody else. It retries for a
// while: if it fails after a hook has ended, that hook counts as interrupted.
func (r *hookRecords) Save(ctx context.Context, records []simkubev1.HookRecord) error {
	known := r.Records()
	var last error
	sent := false
	backoff := wait.Backoff{Duration: 100 * time.Millisecond, Factor: 2, Cap: 5 * time.Second, Steps: 10}
	err := wait.ExponentialBackoffWithContext(ctx, backoff, func(ctx context.Context) (bool, error) {
		if last = r.save(ctx, known, records, &sent); last == nil {
			return true, nil
		}
		if errors.Is(last, errHooksChanged) || apierrors.IsNotFound(last) || apierrors.IsInvalid(last) {
			return false, last
		}
		return false, nil
	})
	if err != nil && last != nil {
		return fmt.Errorf("record the hooks: %w", last)
	}
	return err
}

// save makes one attempt. sent reports whether an earlier attempt may have succeeded although its
// response was lost.
func (r *hookRecords) save(ctx context.Context, known, records []simkubev1.HookRecord, sent *bool) error {
	if err := r.s.refresh(ctx); err != nil {
		return err
	}
	if written := r.Records(); !apiequality.Semantic.DeepEqual(written, known) {
		if *sent && sameRecords(written, records) {
			return nil
		}
		return errHooksChanged
	}
	err := r.s.updateExactly(ctx, func(status *simkubev1.SimulationStatus) { status.Hooks = records })
	*sent = *sent || err != nil && !apierrors.IsConflict(err)
	return err
}

func sameRecords(a, b []simkubev1.HookRecord) bool {
	if len(a) != len(b) {
		return false
	}
	for i := range a {
		if a[i].Phase != b[i].Phase || a[i].Index != b[i].Index || a[i].Run != b[i].Run || a[i].State != b[i].State {
			return false
		}
	}
	return true
}
