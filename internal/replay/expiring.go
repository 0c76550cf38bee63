package replay

import "k8s.io/apimachinery/pkg/runtime/schema"

var jobKind = schema.GroupKind{Group: "batch", Kind: "Job"}

// expires reports whether the manifest is that of a Job that the cluster deletes when it has ended.
// In a replay, that may be earlier than in the recorded cluster.
func expires(body []byte) bool {
	object, err := decode(body)
	if err != nil {
		return false
	}
	spec, _ := object.Object["spec"].(map[string]any)
	return spec["ttlSecondsAfterFinished"] != nil
}
