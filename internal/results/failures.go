package results

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"k8s.io/apimachinery/pkg/types"

	"simkube.io/simkube/internal/words"
)

// creationFailure is a controller that could not create pods.
type creationFailure struct {
	owner Owner
	// missing is how many pods it lacked when it was last looked at.
	missing int
	message string
	last    instant
	// gone is whether it was deleted.
	gone bool
}

// CreationFailed records that a controller could not create pods: how many it lacks, and its
// message. gone reports whether it was deleted; then missing is ignored, unless it was not seen
// before.
func (r *Recorder) CreationFailed(now time.Time, uid types.UID, owner Owner, missing int, message string, gone bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	f := r.failures[uid]
	if f == nil {
		f = &creationFailure{owner: owner, missing: missing}
		r.failures[uid] = f
	}
	f.gone = gone
	if !gone {
		f.owner, f.missing = owner, missing
	}
	if message != "" {
		f.message, f.last = message, instantOf(now)
	}
}

// failing returns the controllers that could not create pods.
func (r *Recorder) failing() []types.UID {
	r.mu.Lock()
	defer r.mu.Unlock()
	uids := make([]types.UID, 0, len(r.failures))
	for uid := range r.failures {
		uids = append(uids, uid)
	}
	slices.Sort(uids)
	return uids
}

// failureDeviations returns a deviation for each owner that lacks pods that could not be created. A
// controller that was deleted has none if it created the pods later.
func (r *Recorder) failureDeviations(pods []podRecord) []Deviation {
	if len(r.failures) == 0 {
		return nil
	}
	later := func(f *creationFailure) int {
		n := 0
		for i := range pods {
			if *pods[i].owner == f.owner && pods[i].created > f.last {
				n++
			}
		}
		return n
	}
	missing, messages := map[Owner]int{}, map[Owner]string{}
	for _, f := range r.failures {
		lacks := f.missing
		if f.gone {
			lacks -= later(f)
		}
		if lacks <= 0 {
			continue
		}
		missing[f.owner] += lacks
		if m := messages[f.owner]; m == "" || f.message < m {
			messages[f.owner] = f.message
		}
	}
	var out []Deviation
	for owner, n := range missing {
		out = append(out, Deviation{
			Category: NotCreated, Owner: &owner, Count: n,
			Reason: fmt.Sprintf("%s could not be created: %s", words.Count(n, "pod"), messages[owner]),
			Action: "change what refuses the pods in the trace (quota, limit range, pod security, priority class, webhook), or nothing, if it refused them in the recording",
		})
	}
	return out
}

// creationMessage returns the reason in a message of a controller, without the name of the pod,
// which is random.
func creationMessage(message string) string {
	if _, reason, ok := strings.Cut(message, " is forbidden: "); ok {
		return reason
	}
	return strings.TrimPrefix(message, "Error creating: ")
}
