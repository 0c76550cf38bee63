//go:build !linux

package skcluster

// cpuTime returns false: this system's processor times are not read.
func cpuTime(int) (cpu, bool) { return cpu{}, false }
