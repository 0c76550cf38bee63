package results

import (
	"regexp"
	"slices"
	"strings"

	"simkube.io/simkube/internal/words"
)

// maxNoNode is how many characters of an autoscaler's reason a deviation has.
const maxNoNode = 300

// explainUnplaced sets why the autoscaler has found no node for the pods that never got one: its
// last reason for each of them.
func (r *Recorder) explainUnplaced(pods []podRecord, w window) {
	var last map[string]string // by namespace and name
	for i := range r.decisions {
		d := &r.decisions[i]
		if d.Kind != NoNode || instantOf(d.Time) > w.end {
			continue
		}
		if last == nil {
			last = map[string]string{}
		}
		for _, pod := range d.Pods {
			last[pod] = d.Message
		}
	}
	if last == nil {
		return
	}
	for i := range pods {
		if p := &pods[i]; p.scheduled == 0 {
			p.noNode = shortReason(last[p.namespace+"/"+p.name])
		}
	}
}

// withRequirements is what Karpenter says of the requirements of pod and pool. They are long.
var withRequirements = regexp.MustCompile(`, requirements=.*, resources=`)

// shortReason returns a reason of Karpenter without what decisions.parquet has. It has one part for
// each pool.
func shortReason(reason string) string {
	var parts []string
	for part := range strings.SplitSeq(reason, "; ") {
		part = withRequirements.ReplaceAllString(part, ", resources=")
		if !slices.Contains(parts, part) {
			parts = append(parts, part)
		}
	}
	return words.Clip(strings.Join(parts, "; "), maxNoNode)
}
