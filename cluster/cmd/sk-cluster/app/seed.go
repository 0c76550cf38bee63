package app

import (
	"crypto/rand"
	"encoding/binary"
	"fmt"
	"os"
	"strconv"

	utilrand "k8s.io/apimachinery/pkg/util/rand"

	"simkube.io/simkube/cluster/internal/virtualtime"
)

// seed fixes what is left to chance in virtual time: what the runtime chooses, and with it package math/rand, the order of
// maps and the scheduler's choice among equal nodes; UIDs; keys and tokens, which nobody outside the process can use: all
// that is done already, by the environment skctl started this process with. What is left are the suffixes of generated names,
// which Kubernetes takes from the clock, and in virtual time that shows the same at every start.
func seed(s uint64) error {
	began, _ := strconv.ParseUint(os.Getenv(virtualtime.SeedVariable), 10, 64) // 0 where there is none
	if began != s {
		return fmt.Errorf("the simulation's seed is %d, but %s was %q when this process was started", s, virtualtime.SeedVariable, os.Getenv(virtualtime.SeedVariable))
	}
	if s == 0 {
		var b [8]byte
		_, _ = rand.Read(b[:]) // it never fails
		s = binary.NativeEndian.Uint64(b[:])
	}
	utilrand.Seed(int64(s))
	return nil
}
