package simulation

import (
	"simkube.io/simkube/internal/results"
	"simkube.io/simkube/trace"
)

// categoryLeftOut is the category of objects that are not replayed, as for replay.LeftOut.
const categoryLeftOut = "leftOut"

// leftOut returns a deviation for each kind of which objects are left out that may have had an
// effect on pods.
func (p *Prepared) leftOut() []results.Deviation {
	var deviations []results.Deviation
	for _, left := range p.excluded.LeftOut() {
		if left.Matter > 0 {
			deviations = append(deviations, results.Deviation{
				Category: categoryLeftOut, Object: trace.FormatGVK(left.GVK), Count: left.Matter,
				Reason: left.Reason.Text + "; " + left.Reason.Effect, Action: left.Reason.Action,
			})
		}
	}
	return deviations
}
