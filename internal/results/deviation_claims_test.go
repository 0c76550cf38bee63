package results

import "testing"

func TestPlacing(t *testing.T) {
	for message, want := range map[string]string{
		"0/3 nodes are available: pod has unbound immediate PersistentVolumeClaims. not found":             claimAction,
		`0/3 nodes are available: persistentvolumeclaim "data-db-0" not found. preemption: 0/3 nodes`:      claimAction,
		`running PreBind plugin "VolumeBinding": storageclass.storage.k8s.io "fast" not found`:             claimAction,
		"0/3 nodes are available: 3 Insufficient cpu. preemption: 0/3 nodes are available":                 placeAction,
		"0/3 nodes are available: 3 node(s) didn't find available persistent volumes to bind. preemption:": placeAction,
	} {
		if got := placing(message); got != want {
			t.Errorf("%s: got %q, want %q", message, got, want)
		}
	}
}
