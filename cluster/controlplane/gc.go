package controlplane

import (
	"os"
	"runtime/debug"

	"simkube.io/simkube/cluster/internal/virtualtime"
)

// gcPercent lets the heap grow to four times what lives before garbage is collected. A collection takes one of
// two cores for a while, and what is due then comes late: with Go's default of 100, one request
// in a hundred by about 15 ms.
const gcPercent = 300

// tuneGC sets the pace of garbage collection, unless the user did. In virtual time it was set already.
func tuneGC() {
	if os.Getenv("GOGC") == "" && !virtualtime.Enabled {
		debug.SetGCPercent(gcPercent)
	}
}
