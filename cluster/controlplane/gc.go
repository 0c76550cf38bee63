package controlplane

import (
	"os"
	"runtime/debug"

	"simkube.io/simkube/cluster/internal/virtualtime"
)

// gcPercent lets the heap grow to four times the live heap before garbage is collected. A
// collection occupies one of two cores for a while and delays what is due then: with Go's default
// of 100, one request in a hundred by about 15 ms.
const gcPercent = 300

// tuneGC sets how often garbage is collected, unless the user has set it. In virtual time, package
// virtualtime does.
func tuneGC() {
	if os.Getenv("GOGC") == "" && !virtualtime.Enabled {
		debug.SetGCPercent(gcPercent)
	}
}
