//go:build !unix

package trace

import "time"

// cpuTime is not known here.
func cpuTime() time.Duration { return 0 }
