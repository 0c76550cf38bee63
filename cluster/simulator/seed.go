package simulator

import (
	"crypto/rand"
	"encoding/binary"
	"fmt"
	"os"
	"strconv"

	utilrand "k8s.io/apimachinery/pkg/util/rand"

	"simkube.io/simkube/cluster/internal/virtualtime"
)

// seed seeds the generator of the suffixes of generated names, which Kubernetes seeds with the
// clock: in virtual time that shows the same at every start. All other generators were seeded when
// the process was started, from its environment: that of the runtime, and with it package
// math/rand, the order of maps and the scheduler's choice among equal nodes; and those of UIDs,
// keys and tokens, which are of no use outside the process. With the seed 0 the suffixes are
// random.
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
