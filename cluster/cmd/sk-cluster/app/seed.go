package app

import (
	cryptorand "crypto/rand"
	"encoding/binary"
	"math/rand/v2"

	"github.com/google/uuid"
	utilrand "k8s.io/apimachinery/pkg/util/rand"

	"simkube.io/simkube/cluster/internal/virtualtime"
)

// seed fixes what is left to chance in virtual time: what the runtime chooses, and with it package math/rand, the order of
// maps and the scheduler's choice among equal nodes; the suffixes of generated names; UIDs. Keys and tokens stay secret.
// Without a seed it sees to it that the suffixes differ from run to run, which Kubernetes takes from a clock that
// in virtual time shows the same at every start.
func seed(s uint64) {
	if s == 0 {
		var b [8]byte
		_, _ = cryptorand.Read(b[:]) // it never fails
		utilrand.Seed(int64(binary.NativeEndian.Uint64(b[:])))
		return
	}
	virtualtime.Seed(s)
	utilrand.Seed(int64(s))
	uuid.SetRand(seeded{})
}

// seeded reads from the runtime's random numbers.
type seeded struct{}

// Read implements io.Reader; it always fills p.
func (seeded) Read(p []byte) (int, error) {
	var b [8]byte
	for rest := p; len(rest) > 0; {
		binary.NativeEndian.PutUint64(b[:], rand.Uint64())
		rest = rest[copy(rest, b[:]):]
	}
	return len(p), nil
}
