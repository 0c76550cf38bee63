package app

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

// errParentGone is returned when whoever started the simulation is gone: nobody waits for its
// results.
var errParentGone = errors.New("the process that started the simulation is gone")

const (
	// lockTime is how long a process that is gone may take to let go of its locks.
	lockTime = 2 * time.Second
	lockPoll = 10 * time.Millisecond
)

// orphaned removes what a simulation has made whose parent is gone, and what that has left. Results
// that are being written are finished first.
func orphaned(spec simulation.Spec, out *messenger, ended <-chan error) error {
	if out.reporting.Load() {
		_ = <-ended // nobody is there to be told
	}
	err := controlplane.RemoveData()
	// In virtual time a sleep takes none, so this goes by the machine's clock.
	for began := virtualtime.Real(); virtualtime.Real()-began < lockTime; {
		if results.Sweep(spec.Output) && (spec.Scratch == "" || scratch.Remove(spec.Scratch)) {
			break
		}
		pause := unix.NsecToTimespec(lockPoll.Nanoseconds())
		_ = unix.Nanosleep(&pause, nil) // a shorter one is as good
	}
	return err
}
