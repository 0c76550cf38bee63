package simulator

import (
	"errors"
	"time"

	"golang.org/x/sys/unix"

	"simkube.io/simkube/cluster/controlplane"
	"simkube.io/simkube/cluster/internal/virtualtime"
	"simkube.io/simkube/internal/results"
	"simkube.io/simkube/internal/scratch"
	"simkube.io/simkube/internal/simulation"
)

// errParentGone is returned when the parent process has ended, so that nothing waits for the
// results.
var errParentGone = errors.New("the process that started the simulation is gone")

const (
	// lockTime is how long the locks of a process may remain after its end.
	lockTime = 2 * time.Second
	lockPoll = 10 * time.Millisecond
)

// orphaned removes what a simulation whose parent is gone has made, and what the parent has left.
// Results that are being written are finished first.
func orphaned(spec simulation.Spec, out *messenger, ended <-chan error) error {
	var failed error
	if !out.abandon() {
		failed = <-ended
	}
	err := errors.Join(failed, controlplane.RemoveData())
	// In virtual time time.Sleep returns at once, so this uses the machine's clock.
	for began := virtualtime.Real(); virtualtime.Real()-began < lockTime; {
		if results.Sweep(spec.Output) && (spec.Scratch == "" || scratch.Remove(spec.Scratch)) {
			break
		}
		pause := unix.NsecToTimespec(lockPoll.Nanoseconds())
		_ = unix.Nanosleep(&pause, nil) // a shorter one is as good
	}
	return err
}
