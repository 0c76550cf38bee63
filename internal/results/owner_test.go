package results

import (
	"testing"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

func TestOwnerOf(t *testing.T) {
	root := func(pod *corev1.Pod) {
		pod.OwnerReferences = append(pod.OwnerReferences, metav1.OwnerReference{
			APIVersion: "simkube.io/v1", Kind: "SimulationRoot", Name: "sk-test-metaroot", Controller: new(true),
		})
	}
	clone := func(pod *corev1.Pod) {
		pod.Annotations[originalOwnerAnnotation] = "web/worker"
	}
	for name, c := range map[string]struct {
		pod  *corev1.Pod
		want Owner
	}{
		"deployment": {
			testPod("api-6d5c9-x7k2p", ownedBy("ReplicaSet", "api-6d5c9"), labelled(podTemplateHashLabel, "6d5c9")),
			Owner{"web", "Deployment", "api"},
		},
		"replica set of its own": {
			testPod("api-x7k2p", ownedBy("ReplicaSet", "api")),
			Owner{"web", "ReplicaSet", "api"},
		},
		"replica set with another hash": {
			testPod("api-1-x", ownedBy("ReplicaSet", "api-1"), labelled(podTemplateHashLabel, "2")),
			Owner{"web", "ReplicaSet", "api-1"},
		},
		"cron job":         {testPod("sync-29384715-x", ownedBy("Job", "sync-29384715")), Owner{"web", "CronJob", "sync"}},
		"job with a date":  {testPod("load-20240131-x", ownedBy("Job", "load-20240131")), Owner{"web", "Job", "load-20240131"}},
		"job":              {testPod("load-x", ownedBy("Job", "load")), Owner{"web", "Job", "load"}},
		"job of digits":    {testPod("x", ownedBy("Job", "29384715")), Owner{"web", "Job", "29384715"}},
		"stateful set":     {testPod("db-0", ownedBy("StatefulSet", "db")), Owner{"web", "StatefulSet", "db"}},
		"root beside it":   {testPod("db-0", root, ownedBy("StatefulSet", "db")), Owner{"web", "StatefulSet", "db"}},
		"bare":             {testPod("worker", root), Owner{"web", "Pod", "worker"}},
		"clone":            {testPod("worker-clone-3", root, clone), Owner{"web", "Pod", "worker"}},
		"named like clone": {testPod("sheep-clone-3", root), Owner{"web", "Pod", "sheep-clone-3"}},
	} {
		t.Run(name, func(t *testing.T) {
			if got := OwnerOf(c.pod); got != c.want {
				t.Errorf("got %+v, want %+v", got, c.want)
			}
		})
	}
	t.Run("no record of a namespace", func(t *testing.T) {
		pod := testPod("p", func(pod *corev1.Pod) { pod.Annotations = nil })
		if got, want := OwnerOf(pod), (Owner{"virtual-web", "Pod", "p"}); got != want {
			t.Errorf("got %+v, want %+v", got, want)
		}
	})
}
