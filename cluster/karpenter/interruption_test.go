package karpenter

import (
	"slices"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	clocktesting "k8s.io/utils/clock/testing"
	fakeclient "sigs.k8s.io/controller-runtime/pkg/client/fake"
	v1 "sigs.k8s.io/karpenter/pkg/apis/v1"
	"sigs.k8s.io/karpenter/pkg/cloudprovider"
	"sigs.k8s.io/karpenter/pkg/scheduling"

	"simkube.io/simkube/internal/results"
)

func testOffer(kind, zone, capacityType string) offer {
	in := func(key, value string) *scheduling.Requirement {
		return scheduling.NewRequirement(key, corev1.NodeSelectorOpIn, value)
	}
	return offer{
		&cloudprovider.InstanceType{Name: kind},
		&cloudprovider.Offering{Requirements: scheduling.NewRequirements(in(corev1.LabelTopologyZone, zone), in(v1.CapacityTypeLabelKey, capacityType))},
	}
}

func hours(n float64) metav1.Duration {
	return metav1.Duration{Duration: time.Duration(n * float64(time.Hour))}
}

// Instances that exist at a time are announced two minutes before it, those launched later are not.
func TestInterruption_At(t *testing.T) {
	t.Parallel()
	spec := &NodeClassSpec{Interruptions: []Interruption{{
		InstanceSelector: InstanceSelector{CapacityTypes: []string{"spot"}}, At: hours(2), Share: 1,
	}}}
	for name, c := range map[string]struct {
		capacityType string
		elapsed      time.Duration
		want         time.Duration
		interrupted  bool
	}{
		"launched before":             {"spot", 30 * time.Minute, 88 * time.Minute, true},
		"launched at the notice":      {"spot", 118 * time.Minute, 0, true},
		"launched after the notice":   {"spot", 119 * time.Minute, 0, false},
		"of another capacity type":    {"on-demand", 0, 0, false},
		"launched before, but not it": {"spot", 3 * time.Hour, 0, false},
	} {
		after, interrupted := spec.interruption(testOffer("a", "zone-a", c.capacityType), c.elapsed, newRandom(1, 1))
		if interrupted != c.interrupted || interrupted && after != c.want {
			t.Errorf("%s: after %s, %t; want %s, %t", name, after, interrupted, c.want, c.interrupted)
		}
	}
}

// About as many instances are interrupted as the rates say.
func TestInterruption_Random(t *testing.T) {
	t.Parallel()
	spec := &NodeClassSpec{Interruptions: []Interruption{{PerHour: 0.5}, {At: hours(1000), Share: 0.25}}}
	const instances = 20_000
	inHour, late := 0, 0
	for n := range uint64(instances) {
		if after, ok := spec.interruption(testOffer("a", "zone-a", "spot"), 0, newRandom(7, n)); ok && after < time.Hour {
			inHour++
		}
		spec := &NodeClassSpec{Interruptions: spec.Interruptions[1:]}
		if _, ok := spec.interruption(testOffer("a", "zone-a", "spot"), 0, newRandom(7, n)); ok {
			late++
		}
	}
	// 1 - exp(-0.5) is 0.393.
	if got := float64(inHour) / instances; got < 0.38 || got > 0.41 {
		t.Errorf("%.3f are interrupted in the first hour, want 0.393", got)
	}
	if got := float64(late) / instances; got < 0.24 || got > 0.26 {
		t.Errorf("%.3f are interrupted at the time, want 0.25", got)
	}
}

// A shortage is of the selected instances, from its beginning until before its end.
func TestShort(t *testing.T) {
	t.Parallel()
	spec := &NodeClassSpec{Shortages: []Shortage{
		{InstanceSelector: InstanceSelector{InstanceTypes: []string{"a"}, Zones: []string{"zone-a"}}, From: hours(1), Until: hours(2)},
		{InstanceSelector: InstanceSelector{InstanceTypes: []string{"b"}}, From: hours(3)},
	}}
	for _, c := range []struct {
		kind, zone string
		hours      float64
		want       bool
	}{
		{"a", "zone-a", 0.9, false},
		{"a", "zone-a", 1, true},
		{"a", "zone-a", 1.9, true},
		{"a", "zone-a", 2, false},
		{"a", "zone-b", 1.5, false},
		{"b", "zone-b", 1.5, false},
		{"b", "zone-b", 99, true},
	} {
		if got := spec.short(testOffer(c.kind, c.zone, "spot"), hours(c.hours).Duration); got != c.want {
			t.Errorf("%s in %s after %g h: %t, want %t", c.kind, c.zone, c.hours, got, c.want)
		}
	}
}

// An instance that exists before the trace begins is interrupted at the time of the trace.
func TestInterruptAt(t *testing.T) {
	t.Parallel()
	var elapsed time.Duration
	var got []results.DecisionKind
	fake := clocktesting.NewFakeClock(time.Now())
	opts := Options{Clock: fake, Speed: 1, Elapsed: func(time.Time) time.Duration { return elapsed }, Types: testTypes()}
	decided := newDecisions(fake, func(d results.Decision) { got = append(got, d.Kind) })
	p := newProvider(opts, fakeclient.NewClientBuilder().Build(), nil, nil, decided, newLogger(t.Output()))
	i := &instance{claim: &v1.NodeClaim{ObjectMeta: metav1.ObjectMeta{Name: "n"}}}
	p.instances[""] = i
	p.interruptAt(i, time.Minute)
	if len(got) != 0 || fake.Waiters() != 1 {
		t.Errorf("decisions %q before the time, %d timers", got, fake.Waiters())
	}
	elapsed = time.Minute
	p.interruptAt(i, time.Minute)
	if !slices.Contains(got, results.Interrupted) {
		t.Errorf("decisions %q at the time, want an interruption", got)
	}
	p.stop()
}
