package test

import (
	"path/filepath"
	"slices"
	"testing"
	"time"

	"simkube.io/simkube/internal/prerequisite"
	"simkube.io/simkube/internal/results"
	"simkube.io/simkube/internal/simulation"
	"simkube.io/simkube/trace"
)

// TestSamples_RunAsRecorded replays real recordings at their own speed: the recorded pods run, each
// as long as recorded, and finish. On the wall clock a loaded machine may be late, but nothing may
// be early, and the order must be the recorded one.
func TestSamples_RunAsRecorded(t *testing.T) {
	t.Parallel()
	for name, owner := range map[string]string{"bare-pods": "Pod", "cronjob": "CronJob"} {
		t.Run(name+"/virtual", func(t *testing.T) {
			t.Parallel()
			testSample(t, name, owner, simulation.Virtual)
		})
		t.Run(name+"/real", func(t *testing.T) {
			if testing.Short() {
				t.Skip("takes minutes, the recordings' own time")
			}
			t.Parallel()
			testSample(t, name, owner, simulation.Real)
		})
	}
}

func testSample(t *testing.T, name, owner string, clock simulation.Time) {
	t.Helper()
	file := prerequisite.Recording(t, name+".sktrace")
	recorded := recordedPods(t, file)
	s := newSandbox(t)
	s.skctl("simulate", file, "-o", "out", "--time", string(clock)).check(t, done)
	run, err := results.Read(filepath.Join(s.dir, "out"))
	if err != nil {
		t.Fatal(err)
	}
	pods := run.Pods
	slices.SortFunc(pods, func(a, b results.Pod) int { return a.Running.Compare(b.Running) })
	if got, want := len(pods), len(recorded); got != want {
		t.Fatalf("pods: got %d, recorded %d: %+v", got, want, pods)
	}
	for i, pod := range pods {
		const precision = time.Second
		want := recorded[i]
		phase := "Succeeded"
		if want.State == trace.Running {
			phase = "Running"
		}
		if pod.OwnerKind != owner || pod.Phase != phase {
			t.Errorf("pod %s: got owner %s, phase %s; want %s, %s", pod.Name, pod.OwnerKind, pod.Phase, owner, phase)
		}
		ran := pod.Finished.Sub(pod.Running)
		recordedRun := time.Duration(want.End-want.Start) * time.Second
		exact := clock == simulation.Virtual
		if off := ran - recordedRun; want.State == trace.Finished && (off < -precision || exact && off > precision) {
			t.Errorf("pod %s ran %s, recorded %s", pod.Name, ran, recordedRun)
		}
		// Pods start when their controller makes them; recorded starts are seconds, cut off.
		if late := pod.Running.Sub(time.Unix(want.Start, 0)); late < -2*precision || exact && late > 2*precision {
			t.Errorf("pod %s started at %s, %s off the recorded start", pod.Name, pod.Running, late)
		}
		for j := range i {
			// Ends that were recorded within seconds of a start may change places.
			if before := recorded[j]; before.State == trace.Finished && before.End+10 < want.Start && pods[j].Finished.After(pod.Running) {
				t.Errorf("pod %s started at %s, before the end of pod %s at %s", pod.Name, pod.Running, pods[j].Name, pods[j].Finished)
			}
		}
	}
	empty(t, s.tmp)
}

// recordedPods returns the lifecycles of a trace, ordered by the pods' start.
func recordedPods(t *testing.T, file string) []trace.Lifecycle {
	t.Helper()
	recording, err := trace.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	var out []trace.Lifecycle
	for _, byHash := range recording.Lifecycles {
		for _, list := range byHash {
			out = append(out, list...)
		}
	}
	slices.SortFunc(out, func(a, b trace.Lifecycle) int { return int(a.Start - b.Start) })
	return out
}
