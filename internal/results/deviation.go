package results

import (
	"cmp"
	"maps"
	"slices"
	"strings"
)

// maxDeviations is the maximum number of deviations that a summary lists.
const maxDeviations = 200

// Deviation is a difference between the replay and the recording.
type Deviation struct {
	// Category groups deviations: a short stable word. A problem keeps its category.
	Category string `json:"category"`
	// Object names what differs, as in a Problem: kind and namespaced name. It is empty if that is the
	// pods of an owner.
	Object string `json:"object,omitempty"`
	// Owner is the owner of the pods that differ, or nil.
	Owner *Owner `json:"owner,omitempty"`
	// Count is how many pods or objects differ, at least 1.
	Count int `json:"count"`
	// Reason says what differs and why, Action what can be done about it. Action may be empty.
	Reason string `json:"reason"`
	Action string `json:"action,omitempty"`
}

// Subject names what differs.
func (d *Deviation) Subject() string {
	if d.Owner == nil {
		return d.Object
	}
	return d.Owner.String()
}

func (d *Deviation) compare(other *Deviation) int {
	return cmp.Or(
		strings.Compare(d.Category, other.Category),
		cmp.Compare(other.Count, d.Count),
		strings.Compare(d.Subject(), other.Subject()),
		strings.Compare(d.Reason, other.Reason),
	)
}

// Deviations are the differences between the replay and the recording.
type Deviations struct {
	// Total counts deviations, not the pods and objects in them.
	Total int `json:"total"`
	// ByCategory is ordered by category.
	ByCategory []CategoryCount `json:"byCategory"`
	// First holds the first 200, ordered by category, then by their counts, the largest first.
	First []Deviation `json:"first"`
}

// newDeviations returns what a summary keeps of all deviations.
func newDeviations(all []Deviation) *Deviations {
	all = slices.Clone(all)
	byCategory := map[string]int{}
	for i := range all {
		all[i].Count = max(all[i].Count, 1)
		byCategory[all[i].Category]++
	}
	slices.SortStableFunc(all, func(a, b Deviation) int { return a.compare(&b) })
	d := &Deviations{Total: len(all), ByCategory: []CategoryCount{}, First: []Deviation{}}
	for _, category := range slices.Sorted(maps.Keys(byCategory)) {
		d.ByCategory = append(d.ByCategory, CategoryCount{Category: category, Count: byCategory[category]})
	}
	d.First = append(d.First, all[:min(len(all), maxDeviations)]...)
	return d
}

// Note is a message to the user: what the replay decided by itself, or what it left out.
type Note struct {
	// Level is info or warning.
	Level string `json:"level"`
	Text  string `json:"text"`
}

// addNote adds a note unless it is in the list already.
func addNote(notes []Note, n Note) []Note {
	if slices.Contains(notes, n) {
		return notes
	}
	return append(notes, n)
}
