package drivertest

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	simkubev1 "simkube.io/simkube/api/v1"
	"simkube.io/simkube/internal/driver"
	"simkube.io/simkube/internal/results"
	"simkube.io/simkube/trace"
)

// A simulation is replayed several times, with hooks around each run, and reports its progress;
// nothing is left.
func TestRun(t *testing.T) {
	count := filepath.Join(t.TempDir(), "hooks")
	hook := func(word string) []simkubev1.SimulationHook {
		return []simkubev1.SimulationHook{{Cmd: "sh", Args: []string{"-c", "echo " + word + " >> " + count}}}
	}
	events := []trace.Event{
		at(t, 0, configMap("first"), deployment("web", 3)),
		at(t, 60, pod("alone"), configMap("second")),
		at(t, 120, deployment("web", 5)),
	}
	s := prepare(t, events, func(sim *simkubev1.Simulation) {
		sim.Spec.Speed, sim.Spec.Repetitions = new(60.0), new(int32(2))
		sim.Spec.Hooks = &simkubev1.SimulationHooks{PreRunHooks: hook("before"), PostRunHooks: hook("after")}
		sim.Spec.Results = &simkubev1.SimulationResults{ConfigMap: "kept"}
	})
	if err := s.start(t.Context())(); err != nil {
		t.Fatal(err)
	}
	status := s.status()
	if status.Phase != simkubev1.DriverFinished || status.Restarts != 0 || len(status.Hooks) != 4 || len(status.Summaries) != 2 {
		t.Errorf("status = %+v", status)
	}
	for _, summary := range status.Summaries {
		if summary.Events != 3 || summary.Applied != 5 || summary.Problems != 0 || summary.Pods != 6 || summary.Scheduled != 6 {
			t.Errorf("summary = %+v", summary)
		}
	}
	text, err := os.ReadFile(count)
	if want := "before\nafter\nbefore\nafter\n"; err != nil || string(text) != want {
		t.Errorf("hooks wrote %q (%v), want %q", text, err, want)
	}
	kept, err := env.client.CoreV1().ConfigMaps(driverNamespace).Get(t.Context(), "kept", metav1.GetOptions{})
	if err != nil {
		t.Fatal(err)
	}
	for _, key := range []string{"run-01.json", "run-02.json", results.RepetitionsFile} {
		if !strings.Contains(kept.Data[key], `"schemaVersion"`) {
			t.Errorf("the ConfigMap's %s is %.60q", key, kept.Data[key])
		}
	}
}

// A pause within a gap of ten minutes delays later events by its length.
func TestPause(t *testing.T) {
	events := []trace.Event{at(t, 0, configMap("first")), at(t, 600, configMap("second"))}
	s := prepare(t, events, func(sim *simkubev1.Simulation) {
		sim.Spec.Speed = new(100.0)
		sim.Spec.Results = &simkubev1.SimulationResults{PersistentVolumeClaim: "claim"}
	})
	wait := s.start(t.Context())
	s.eventually("the first event", func() bool { return s.status().Events == 1 })
	time.Sleep(time.Second)
	began := time.Now()
	s.patch(fmt.Sprintf(`{"spec":{"pausedTime":%q}}`, time.Now().UTC().Format(time.RFC3339)))
	s.eventually("the pause", func() bool { return s.status().Paused })
	const pause = 7 * time.Second // longer than until the event is due
	s.eventually("progress of the pause", func() bool { return s.status().TraceTime != nil })
	before := s.status().TraceTime
	time.Sleep(pause)
	if now := s.status(); now.Events != 1 || now.TraceTime.Sub(before.Time) > 200*time.Second {
		t.Errorf("in the pause %d events were replayed, and the trace's time went from %v to %v", now.Events, before, now.TraceTime)
	}
	s.patch(`{"spec":{"pausedTime":null}}`)
	s.eventually("the end of the pause", func() bool { return !s.status().Paused })
	limit := time.Since(began)
	s.eventually("the second event", func() bool { return s.status().Events == 2 })
	if err := wait(); err != nil {
		t.Fatal(err)
	}
	run, err := results.Read(filepath.Join(s.part.Claims, s.name, "run-01"))
	if err != nil {
		t.Fatal(err)
	}
	// The trace's time does not advance in a pause, and continues where it was.
	info := run.Summary.Run
	window := info.WindowEnd.Sub(info.WindowStart).Seconds()
	paused := info.ClockSeconds - window/info.Speed
	if paused < pause.Seconds() || paused > limit.Seconds() {
		t.Errorf("on the clock the run took %v s, in the trace %v s at speed %v: it was paused for %v s, want %v to %v",
			info.ClockSeconds, window, info.Speed, paused, pause, limit)
	}
	// It is due after 6 s and the pause. The lag, which is measured from then, would not show that it
	// started too early.
	if window < 600 {
		t.Errorf("the run ended after %v s of the trace, before its last event", window)
	}
	t.Logf("paused for %.3f s; the events' lags were %v and %v s", paused, run.Events[0].LagSeconds, run.Events[1].LagSeconds)
}

// A permanent error fails the simulation with a reason.
func TestFailures(t *testing.T) {
	for name, tc := range map[string]struct {
		events []trace.Event
		change func(*simkubev1.Simulation)
		part   func(*part)
		reason string
	}{
		"no trace":    {reason: driver.ReasonTraceNotFound},
		"bad trace":   {part: func(p *part) { p.Trace = writeFile(t, "nonsense") }, reason: driver.ReasonTraceUnreadable},
		"empty trace": {events: []trace.Event{}, reason: driver.ReasonTraceEmpty},
		"bad URL":     {part: func(p *part) { p.Trace = "ftp://x/y" }, reason: driver.ReasonInvalidSimulation},
		"bucket without credentials": {
			part: func(p *part) { p.Trace = "http://127.0.0.1:1/no-such-server" }, reason: "",
		},
		"hook fails": {
			events: []trace.Event{at(t, 0, configMap("one"))},
			change: func(sim *simkubev1.Simulation) {
				sim.Spec.Hooks = &simkubev1.SimulationHooks{PreRunHooks: []simkubev1.SimulationHook{{Cmd: "false"}}}
			},
			reason: driver.ReasonHookFailed,
		},
		"object is refused": {
			events: []trace.Event{at(t, 0, "{apiVersion: v1, kind: ConfigMap, metadata: {namespace: demo, name: Wrong_Name}}")},
			part:   func(p *part) { p.FailFast = true }, reason: driver.ReasonApplyFailed,
		},
		"results nowhere": {
			events: []trace.Event{at(t, 0, configMap("one"))},
			change: func(sim *simkubev1.Simulation) {
				sim.Spec.Results = &simkubev1.SimulationResults{ConfigMap: "Bad_Name"}
			},
			reason: driver.ReasonResultsNotKept,
		},
	} {
		t.Run(strings.ReplaceAll(name, " ", "-"), func(t *testing.T) {
			s := prepare(t, tc.events, tc.change)
			if tc.part != nil {
				tc.part(&s.part)
			}
			err := s.start(t.Context())()
			status := s.status()
			if tc.reason == "" {
				var failure *driver.Failure
				if err == nil || errors.As(err, &failure) || status.Phase == simkubev1.DriverFailed || status.Message == "" {
					t.Errorf("Run() = %v, status = %+v; want a temporary error, also in the status", err, status)
				}
				return
			}
			if err == nil || status.Phase != simkubev1.DriverFailed || status.Reason != tc.reason || status.Message == "" {
				t.Errorf("Run() = %v, status = %+v, want reason %s", err, status, tc.reason)
			}
			again := s.start(t.Context())()
			var failure *driver.Failure
			if !errors.As(again, &failure) || failure.Reason != tc.reason {
				t.Errorf("a driver started after that returned %v", again)
			}
		})
	}
}

func writeFile(t *testing.T, text string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

// A pod that is created in the simulation's namespaces without a controller is also kept on
// simulated nodes.
func TestStrayPod(t *testing.T) {
	s := prepare(t, []trace.Event{at(t, 0, configMap("first")), at(t, 8, configMap("second"))}, nil)
	wait := s.start(t.Context())
	s.eventually("the first event", func() bool { return s.status().Events == 1 })
	stray := &corev1.Pod{
		ObjectMeta: metav1.ObjectMeta{Name: "stray", Namespace: simkubev1.VirtualNamespace(s.name, "demo")},
		Spec:       corev1.PodSpec{Containers: []corev1.Container{{Name: "main", Image: "nginx"}}},
	}
	made, err := env.client.CoreV1().Pods(stray.Namespace).Create(t.Context(), stray, metav1.CreateOptions{})
	if err != nil {
		t.Fatal(err)
	}
	if made.Spec.NodeSelector[simkubev1.LabelNodeType] != simkubev1.NodeTypeVirtual || made.Labels[simkubev1.LabelSimulation] != s.name {
		t.Errorf("the pod has labels %v and selects nodes by %v", made.Labels, made.Spec.NodeSelector)
	}
	if err := wait(); err != nil {
		t.Fatal(err)
	}
}

// A simulation that has failed stays failed, even if its driver is killed right after.
func TestKill_Failing(t *testing.T) {
	events := []trace.Event{at(t, 0, configMap("one")), at(t, 1, "{apiVersion: v1, kind: ConfigMap, metadata: {namespace: demo, name: Wrong_Name}}")}
	s := prepare(t, events, nil)
	s.part.FailFast = true
	for kill := 300 * time.Millisecond; ; kill += 300 * time.Millisecond {
		output, ended := s.child(kill)
		if ended == nil {
			t.Fatalf("a driver took a failed simulation for a finished one:\n%s", output)
		}
		if !wasKilled(ended) {
			break
		}
	}
	if status := s.status(); status.Phase != simkubev1.DriverFailed || status.Reason != driver.ReasonApplyFailed || len(status.Summaries) != 1 {
		t.Errorf("status = %+v", status)
	}
}
