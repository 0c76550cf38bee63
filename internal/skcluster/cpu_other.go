//go:build !linux

package skcluster

import "time"

// cpuTime returns false: this system's processor times are not read.
func cpuTime(int) (time.Duration, bool) { return 0, false }
