//go:build race

package trace

// raceAllocs is how many bytes the race detector adds to the allocations of a reader.
const raceAllocs = 256
