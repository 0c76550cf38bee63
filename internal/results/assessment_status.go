package results

import (
	"fmt"

	simkubev1 "simkube.io/simkube/api/v1"
	"simkube.io/simkube/internal/words"
)

// StatusAssessment says whether the repetitions in the status of a Simulation were replayed as
// recorded. It is empty if that is not known.
func StatusAssessment(status *simkubev1.DriverStatus) string {
	if status == nil {
		return ""
	}
	var known, deviated, last int
	for i := range status.Summaries {
		n := status.Summaries[i].Deviations
		if n == nil {
			continue
		}
		known++
		if *n > 0 {
			deviated, last = deviated+1, int(*n)
		}
	}
	switch total := len(status.Summaries); {
	case deviated == 0 && (known == 0 || known < total):
		return ""
	case deviated == 0:
		return AsRecorded
	case total == 1:
		return "replayed with " + words.Count(last, "deviation")
	default:
		return fmt.Sprintf("replayed with deviations in %s of %s", words.Number(deviated), words.Count(total, "repetition"))
	}
}
