//go:build !unix

package timeline

import "time"

// cpuTime is not implemented on this platform.
func cpuTime() time.Duration { return 0 }
