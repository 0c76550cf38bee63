package tracer

import (
	"bytes"
	"context"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"k8s.io/apimachinery/pkg/runtime/schema"

	simkubev1 "simkube.io/simkube/api/v1"
	"simkube.io/simkube/internal/tracer/log"
	"simkube.io/simkube/trace"
)

// exportedGaps returns the gaps of an export of the first minutes.
func (b *bench) exportedGaps() []trace.Gap {
	b.t.Helper()
	var out bytes.Buffer
	_, err := b.Export(b.t.Context(), simkubev1.ExportRequest{StartTS: begin.Unix(), EndTS: begin.Unix() + 600, ExportPath: "x"}, &out)
	b.check(err)
	tr, err := trace.Read(&out)
	b.check(err)
	x, err := trace.ParseExtension(tr.Extension)
	b.check(err)
	return x.Gaps
}

// gap returns a gap in seconds since the beginning.
func gap(from, to int64) trace.Gap {
	return trace.Gap{From: begin.UnixMilli() + 1000*from, To: begin.UnixMilli() + 1000*to}
}

// TestTracer_Unreachable makes the API server unreachable from the start, and across a restart: all
// of the time must be a gap at any time.
func TestTracer_Unreachable(t *testing.T) {
	config := configOf(map[schema.GroupVersionKind]trace.TrackedObject{configMapKind: {}})
	b := newBench(t, config)
	if diff := cmp.Diff([]trace.Gap(nil), b.exportedGaps()); diff != "" {
		t.Errorf("at once (-want +got):\n%s", diff)
	}
	for _, seconds := range []int64{20, 50} {
		ctx, cancel := context.WithCancel(t.Context())
		done := make(chan error, 1)
		go func() { done <- b.Run(ctx) }()
		for b.follower(configMapKind) == nil {
			time.Sleep(time.Millisecond)
		}
		b.clock.Step(20 * time.Second)
		// The log has entries from here on, so that the next one is opened as an existing log.
		b.check(b.append(t.Context(), &log.Node{UID: "n", Name: "n", From: begin.UnixMilli()}))
		if diff := cmp.Diff([]trace.Gap{gap(0, seconds)}, b.exportedGaps()); diff != "" {
			t.Errorf("after %d seconds (-want +got):\n%s", seconds, diff)
		}
		cancel()
		if err := <-done; err != nil {
			t.Error(err)
		}
		b.clock.Step(10 * time.Second)
		b.restart(config)
		if got, want := b.log.CompleteAtOpen(), begin.UnixMilli(); got != want {
			t.Errorf("after %d seconds, the next log knows everything up to %d ms, want 0", seconds, got-want)
		}
	}
}

// TestTracer_Beginnings checks that a kind that is followed later is complete from then on, and
// that one with a new follower is complete from where the previous follower ended.
func TestTracer_Beginnings(t *testing.T) {
	b := newBench(t, configOf(map[schema.GroupVersionKind]trace.TrackedObject{configMapKind: {}}))
	b.clock.Step(time.Minute)
	if got := b.beginnings()(configMapKind); !got.Equal(begin) {
		t.Errorf("at first: %v, want when the log was made", got.Sub(begin))
	}
	f := b.handler(configMapKind) // made now
	b.add([]*follower{f})
	b.clock.Step(time.Minute)
	since := b.beginnings()
	if got := since(configMapKind).Sub(begin); got != time.Minute {
		t.Errorf("of what was followed: %v, want %v", got, time.Minute)
	}
	if got := since(podKind).Sub(begin); got != 2*time.Minute {
		t.Errorf("of what was not: %v, want %v", got, 2*time.Minute)
	}
	b.hold()
	b.remove(f)
	if got := b.completeUntil() - begin.UnixMilli(); got != 0 {
		t.Errorf("between two followers, the log is complete until %d ms, want 0", got)
	}
}

// TestFollower_Gap checks that gaps are recorded for kinds of which something is recorded.
func TestFollower_Gap(t *testing.T) {
	config := lifecycles(deploymentKind)
	b := newBench(t, config)
	for _, gvk := range []schema.GroupVersionKind{deploymentKind, podKind, nodeKind, replicaSetKind} {
		f := b.handler(gvk)
		b.check(f.Gap(t.Context(), begin.Add(-time.Minute), begin.Add(time.Second)))
		b.check(f.Gap(t.Context(), begin.Add(time.Second), begin)) // a clock that was set back
	}
	snapshot := b.snapshot()
	defer snapshot.Close()
	counts := map[log.Gap]int{}
	for g, err := range snapshot.Gaps(0, 1<<62) {
		b.check(err)
		counts[*g]++
	}
	want := map[log.Gap]int{log.Gap(gap(-60, 1)): 3, log.Gap(gap(1, 1)): 3}
	if diff := cmp.Diff(want, counts); diff != "" {
		t.Errorf("gaps of a kind of objects, pods and nodes, and none of one that only leads to owners (-want +got):\n%s", diff)
	}
}
