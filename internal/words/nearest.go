package words

import (
	"slices"
	"strings"
)

// maxDistance is how many letters a mistake changes at most.
const maxDistance = 2

// Nearest returns the names that are most likely meant by one that is not known, in the order of
// known: those with the fewest letters that differ. Letters may differ in case.
func Nearest(name string, known ...string) []string {
	var best []string
	closest := maxDistance
	for _, other := range known {
		d := distance(strings.ToLower(name), strings.ToLower(other))
		if d > closest || d >= len(name) || other == name {
			continue
		}
		if d < closest {
			best, closest = nil, d
		}
		best = append(best, other)
	}
	return best
}

// distance returns the edit distance of two short words, in bytes. It returns a large number for
// long words.
func distance(a, b string) int {
	const limit = 40
	if len(a) > limit || len(b) > limit {
		return limit
	}
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := range len(a) {
		before := slices.Clone(row)
		row[0] = i + 1
		for j := range len(b) {
			change := 1
			if a[i] == b[j] {
				change = 0
			}
			row[j+1] = min(before[j]+change, before[j+1]+1, row[j]+1)
		}
	}
	return row[len(b)]
}
