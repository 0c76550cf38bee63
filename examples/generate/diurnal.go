package main

import (
	"math"
	"time"

	appsv1 "k8s.io/api/apps/v1"
)

// curve is a day's load in percent of its maximum, by the full hour, with linear interpolation.
type curve []int

var (
	// shoppers is the load of shoppers, with peaks at lunch and in the evening.
	shoppers = curve{25, 15, 10, 8, 8, 12, 20, 35, 50, 60, 68, 75, 80, 78, 74, 72, 75, 82, 92, 98, 100, 88, 65, 42}
	// office is the load of office workers.
	office = curve{5, 5, 5, 5, 5, 10, 25, 55, 85, 95, 100, 95, 80, 90, 100, 95, 85, 60, 35, 20, 15, 10, 8, 5}
	// events is the load of shoppers, plus a base load of machines.
	events = curve{40, 35, 30, 30, 30, 32, 40, 50, 60, 65, 70, 75, 80, 80, 78, 76, 78, 84, 92, 98, 100, 90, 70, 50}
)

func (c curve) at(t time.Duration) float64 {
	hour := int(t / time.Hour)
	part := float64(t%time.Hour) / float64(time.Hour)
	a, b := float64(c[hour%len(c)]), float64(c[(hour+1)%len(c)])
	return (a + (b-a)*part) / 100
}

// scale returns the times at which a horizontal autoscaler changes the replicas of a service,
// starting with the replicas at midnight. Like the real one, it ignores differences of at most a
// tenth, scales up at most to twice as many, and down by at most a quarter at a time.
func scale(s service, r *random) (atMidnight int32, steps []action) {
	wanted := func(t time.Duration) float64 {
		return float64(s.minReplicas) + float64(s.maxReplicas-s.minReplicas)*s.load.at(t)
	}
	replicas := int(math.Round(wanted(0)))
	atMidnight = int32(replicas)
	phase := r.between(0, s.every)
	for t := phase; t < 24*time.Hour; t += s.every {
		now := wanted(t) * (0.96 + 0.08*r.float())
		target := min(max(int(math.Round(now)), s.minReplicas), s.maxReplicas)
		if math.Abs(float64(target-replicas)) <= 0.1*float64(replicas) {
			continue
		}
		target = min(target, 2*replicas)
		target = max(target, replicas-max(replicas/4, 1))
		replicas = target
		steps = append(steps, action{at: t, change: func(d *appsv1.Deployment) { d.Spec.Replicas = new(int32(target)) }})
	}
	return atMidnight, steps
}
