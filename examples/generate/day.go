package main

import (
	"slices"
	"time"

	appsv1 "k8s.io/api/apps/v1"
)

// action is a change of a Deployment.
type action struct {
	at     time.Duration
	change func(*appsv1.Deployment)
}

// day records Tuesday, 10 March 2026, UTC.
func day(seed uint64) *recorder {
	r := newRecorder(time.Date(2026, time.March, 10, 0, 0, 0, 0, time.UTC), 24*time.Hour)
	foundations(r)
	for _, s := range daemonSets {
		r.apply(0, daemonSet(s))
	}
	for _, s := range statefulSets {
		r.apply(0, statefulSet(s))
	}
	released := rollouts(newRandom(seed, "rollouts"))
	for _, s := range deployments {
		actions := released[s.name]
		switch s.name {
		case badRollout:
			actions = append(actions, incident()...)
		case "config-server", "consent": // their certificates are new
			actions = append(actions, restart(r.start, 6*time.Hour+5*time.Minute))
		}
		recordDeployment(r, s, actions, newRandom(seed, "deployment "+s.name))
	}
	cronJobs(r, seed)
	batch(r, seed)
	barePods(r, seed)
	return r
}

// recordDeployment records a Deployment's day.
func recordDeployment(r *recorder, s service, actions []action, random *random) {
	d := deployment(s)
	if s.load != nil {
		replicas, steps := scale(s, random)
		d.Spec.Replicas = &replicas
		actions = append(actions, steps...)
	}
	slices.SortStableFunc(actions, func(a, b action) int { return int((a.at - b.at) / time.Second) })
	r.apply(0, d)
	for _, action := range actions {
		action.change(d)
		r.apply(action.at, d)
	}
}
