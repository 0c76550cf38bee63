//go:build !race

package trace

// raceAllocs is for the race detector only.
const raceAllocs = 0
