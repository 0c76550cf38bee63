package main

import (
	"fmt"
	"time"

	appsv1 "k8s.io/api/apps/v1"
	"k8s.io/apimachinery/pkg/api/resource"

	corev1 "k8s.io/api/core/v1"
)

// rolloutsADay is the number of rollouts per day.
const rolloutsADay = 18

// rollouts returns the rollouts of the day, by Deployment: during working hours, some of them
// twice, because the first one had a bug.
func rollouts(r *random) map[string][]action {
	out := map[string][]action{}
	for range rolloutsADay {
		s := deployments[r.intN(len(deployments))]
		if s.name == badRollout {
			continue // handled separately
		}
		at := r.between(8*time.Hour+30*time.Minute, 17*time.Hour)
		tag := fmt.Sprintf("%s-r%d", s.tag, 1+len(out[s.name]))
		out[s.name] = append(out[s.name], release(at, image(s.namespace, s.name, tag)))
	}
	return out
}

func release(at time.Duration, image string) action {
	return action{at: at, change: func(d *appsv1.Deployment) { d.Spec.Template.Spec.Containers[0].Image = image }}
}

// restart is what `kubectl rollout restart` does.
func restart(start time.Time, at time.Duration) action {
	return action{at: at, change: func(d *appsv1.Deployment) {
		if d.Spec.Template.Annotations == nil {
			d.Spec.Template.Annotations = map[string]string{}
		}
		d.Spec.Template.Annotations["kubectl.kubernetes.io/restartedAt"] = start.Add(at).Format(time.RFC3339)
	}}
}

// badRollout is the Deployment of the incident.
const badRollout = "ranker"

// incident returns the bad rollout. At 14:12, while the analytics burst is running, version 2.31.0
// of the ranker is rolled out with the requests of its training job, six times what it needs. The
// new pods do not fit and stay pending; the rollout stops with a quarter of the old pods gone. At
// 14:41 it is rolled back. At 16:20 it is rolled out again, with the correct requests.
func incident() []action {
	resize := func(at time.Duration, tag, cpu, memory string) action {
		return action{at: at, change: func(d *appsv1.Deployment) {
			container := &d.Spec.Template.Spec.Containers[0]
			container.Image = image(d.Namespace, d.Name, tag)
			container.Resources = requests(cpu, memory)
			container.Resources.Limits = corev1.ResourceList{corev1.ResourceMemory: resource.MustParse(memory)}
		}}
	}
	return []action{
		resize(14*time.Hour+12*time.Minute+8*time.Second, "v2.31.0", "12", "24Gi"),
		resize(14*time.Hour+41*time.Minute+30*time.Second, "v2.30.1", "2", "4Gi"),
		resize(16*time.Hour+20*time.Minute+2*time.Second, "v2.31.1", "2", "4Gi"),
	}
}
