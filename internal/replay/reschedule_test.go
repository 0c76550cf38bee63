package replay

import (
	"slices"
	"testing"
	"testing/synctest"
	"time"

	corev1 "k8s.io/api/core/v1"

	simkubev1 "simkube.io/simkube/api/v1"
)

// evicted is the status of a pod that was interrupted.
var evicted = corev1.PodStatus{Phase: corev1.PodFailed, Reason: "Evicted"}

// created returns the clones that were created, by name.
func created(target *fake) []string {
	var names []string
	for _, line := range target.lines("create pods ns/") {
		names = append(names, line[len("create pods ns/"):])
	}
	slices.Sort(names)
	return names
}

func checkCreated(t *testing.T, target *fake, want ...string) {
	t.Helper()
	if got := created(target); !slices.Equal(got, want) {
		t.Errorf("clones made: %v, want %v", got, want)
	}
}

// A bare pod is rescheduled once, whichever way the interruption becomes known.
func TestRun_reschedules(t *testing.T) {
	for name, c := range map[string]struct {
		interrupt func(target *fake)
		want      []string
	}{
		"evicted": {func(f *fake) { f.setStatus("p", evicted) }, []string{"p-clone-1"}},
		"deleted": {func(f *fake) { f.vanish("p") }, []string{"p-clone-1"}},
		"evicted, then deleted": {func(f *fake) {
			f.setStatus("p", evicted)
			f.vanish("p")
		}, []string{"p-clone-1"}},
		"gone between two watches": {func(f *fake) {
			f.loseWatch()
			f.vanish("p")
			time.Sleep(10 * time.Second)
			f.getWatch()
		}, []string{"p-clone-1"}},
		"finished": {func(f *fake) {
			f.setStatus("p", corev1.PodStatus{Phase: corev1.PodSucceeded})
			f.vanish("p")
		}, nil},
		"finished, and gone between two watches": {func(f *fake) {
			f.setStatus("p", corev1.PodStatus{Phase: corev1.PodSucceeded})
			time.Sleep(time.Second)
			f.loseWatch()
			f.vanish("p")
			f.getWatch()
		}, nil},
		"clone interrupted, too": {func(f *fake) {
			f.vanish("p")
			time.Sleep(time.Second)
			f.vanish("p-clone-1")
		}, []string{"p-clone-1", "p-clone-2"}},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				target := newFake()
				time.AfterFunc(10*time.Second, func() { c.interrupt(target) })
				report, _, err := replayed(t, target, Options{RescheduleInterruptedBarePods: true}, Plan{Settle: settleFor(2 * time.Minute)},
					event(t, 0, []string{podManifest("ns", "p")}, nil))
				if err != nil {
					t.Fatal(err)
				}
				checkCreated(t, target, c.want...)
				if report.Clones != len(c.want) {
					t.Errorf("clones = %d, want %d", report.Clones, len(c.want))
				}
				for _, name := range c.want {
					at := podAt(name)
					if object := target.objects[at]; object != nil && object.Annotations[simkubev1.AnnotationOriginalOwner] != "ns/p" {
						t.Errorf("annotations of %s: %v", name, object.Annotations)
					}
				}
			})
		})
	}
}

// A pod that the trace deletes and applies again was not interrupted, even if the watch is late.
func TestRun_reappliedIsNotInterrupted(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		target := newFake()
		target.tells = 5 * time.Second
		pod := []string{podManifest("ns", "p")}
		report, _, err := replayed(t, target, Options{RescheduleInterruptedBarePods: true}, Plan{Settle: settleFor(2 * time.Minute)},
			event(t, 0, pod, nil), event(t, 20, nil, pod), event(t, 21, pod, nil))
		if err != nil {
			t.Fatal(err)
		}
		checkCreated(t, target)
		if report.Applied != 2 || report.Deleted != 1 || len(report.Problems) > 0 {
			t.Errorf("report = %+v, want 2 applied, 1 deleted and no problems", report)
		}
	})
}
