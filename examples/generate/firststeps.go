package main

import (
	"time"

	appsv1 "k8s.io/api/apps/v1"
)

// firstSteps records four minutes with one of everything: a Deployment that is scaled up, updated
// and scaled down, a Job of four pods, and a bare pod.
func firstSteps() *recorder {
	r := newRecorder(time.Date(2026, time.March, 10, 9, 0, 0, 0, time.UTC), 10*time.Minute)
	scaleTo := func(at time.Duration, replicas int32) action {
		return action{at: at, change: func(d *appsv1.Deployment) { d.Spec.Replicas = &replicas }}
	}
	web := service{namespace: "demo", name: "web", tag: "v1.0.0", cpu: "500m", memory: "512Mi", minReplicas: 3, place: spreadOverZones}
	recordDeployment(r, web, []action{
		scaleTo(30*time.Second, 8),
		release(2*time.Minute, image("demo", "web", "v1.1.0")),
		scaleTo(3*time.Minute+30*time.Second, 3),
	}, nil)
	barePod(r, task{namespace: "demo", name: "shell", tag: "v1.37", cpu: "100m", memory: "64Mi"},
		"shell", 45*time.Second, 75*time.Second, 20*time.Second)

	report := job{task{"demo", "report", "v1.0.0", "1", "1Gi", 20 * time.Second, 0.3}, time.Minute, 4, 2, nil}
	runJob(r, report, time.Minute, newRandom(1, "job report"))
	return r
}
