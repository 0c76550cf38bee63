package results

import (
	"fmt"
	"strings"

	"simkube.io/simkube/internal/words"
)

// AsRecorded is the verdict on a replay without deviations.
const AsRecorded = "replayed as recorded"

// Assessment says whether the replay was as recorded: "replayed as recorded" or "replayed with 3
// deviations". It is empty for a summary that was written before deviations were counted.
func (s *Summary) Assessment() string {
	d := s.Outcome.Deviations
	switch {
	case d == nil:
		return ""
	case d.Total > 0:
		return "replayed with " + words.Count(d.Total, "deviation")
	case s.Run.Interrupted:
		return AsRecorded + " until it was interrupted"
	}
	return AsRecorded
}

// Deviated returns how many runs with results had deviations, and how many runs say so: those of
// earlier versions do not.
func (r *Repetitions) Deviated() (deviated, known int) {
	for _, run := range r.Runs {
		if n, ok := run.Measures[MeasureDeviations]; ok {
			known++
			if n > 0 {
				deviated++
			}
		}
	}
	return deviated, known
}

// Assessment says whether the runs were as recorded. It is empty if that is not known.
func (r *Repetitions) Assessment() string {
	switch deviated, known := r.Deviated(); {
	case known == 0:
		return ""
	case deviated > 0:
		return fmt.Sprintf("replayed with deviations in %s of %s", words.Number(deviated), words.Count(known, "run"))
	}
	return AsRecorded
}

// categoryTitles are the categories of deviations for people.
var categoryTitles = map[string]string{
	unknownKind:      "unknown kind",
	"rejected":       "refused",
	"immutable":      "change refused",
	"notOurs":        "name taken",
	"absentOnDelete": "absent when deleted",
	"leftOut":        "left out",
	"malformed":      "malformed",
	"other":          "failed",
	NotCreated:       "pods not created",
	NotPlaced:        "pods without a node",
	NotRun:           "pods did not run",
	RanMore:          "more pods ran",
	EndedEarly:       "pods ended early",
	EndedLate:        "pods ended late",
	CutShort:         "cut short",
}

// CategoryTitle returns a category of deviations for people.
func CategoryTitle(category string) string {
	if title, ok := categoryTitles[category]; ok {
		return title
	}
	return category
}

// Categories counts the deviations by category, for people: "2 refused, 1 pods did not run".
func (d *Deviations) Categories() string {
	parts := make([]string, len(d.ByCategory))
	for i, c := range d.ByCategory {
		parts[i] = CategoryTitle(c.Category) + " (" + words.Number(c.Count) + ")"
	}
	return strings.Join(parts, ", ")
}
