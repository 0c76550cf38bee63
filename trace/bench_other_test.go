//go:build !unix

package trace

import "time"

// cpuTime returns 0: processor time is not available on this system.
func cpuTime() time.Duration { return 0 }
