package app

import (
	"bytes"
	"encoding/json"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/utils/clock"
)

const pausedSince = `spec: {pausedTime: "2025-03-01T12:30:00Z"}`

// Pause and resume send only the necessary requests to the API server.
func TestSimulations_Pause(t *testing.T) {
	for name, tc := range map[string]struct {
		command, status string
		want            string
		code            int
		// patch is what spec.pausedTime becomes: "now", "null", or "" if it is unchanged.
		patch string
	}{
		"pause":           {"pause", `status: {state: Running}`, "simulation.simkube.io/friday paused\n", exitDone, "now"},
		"pause again":     {"pause", "status: {state: Paused}\n" + pausedSince, "simulation.simkube.io/friday already paused since 2025-03-01T12:30:00Z\n", exitDone, ""},
		"pause at first":  {"pause", "", "simulation.simkube.io/friday paused\n", exitDone, "now"},
		"pause too late":  {"pause", `status: {state: Finished}`, "skctl: pause simulation friday: it is Finished\n", exitFailed, ""},
		"resume":          {"resume", pausedSince, "simulation.simkube.io/friday resumed\n", exitDone, "null"},
		"resume again":    {"resume", `status: {state: Running}`, "simulation.simkube.io/friday not paused: nothing to resume\n", exitDone, ""},
		"resume finished": {"resume", `status: {state: Finished}`, "simulation.simkube.io/friday not paused: nothing to resume\n", exitDone, ""},
	} {
		t.Run(name, func(t *testing.T) {
			server := newAPIServer(t)
			server.have(simulated(t, "friday", tc.status))
			code, stdout, stderr := run(t, tc.command, "friday", "--kubeconfig", server.kubeconfig)
			if got := stdout + stderr; code != tc.code || got != tc.want {
				t.Errorf("exit code %d, output %q, want %q", code, got, tc.want)
			}
			patches := server.made("PATCH")
			if tc.patch == "" {
				if len(patches) > 0 {
					t.Errorf("changed: %q", patches)
				}
				return
			}
			if len(patches) != 1 {
				t.Fatalf("changes are %q, want one", patches)
			}
			_, body, _ := strings.Cut(patches[0], "friday ")
			var change map[string]map[string]*metav1.Time
			if err := json.Unmarshal([]byte(body), &change); err != nil {
				t.Fatal(err)
			}
			at, has := change["spec"]["pausedTime"]
			if len(change) != 1 || len(change["spec"]) != 1 || !has || (at != nil) != (tc.patch == "now") {
				t.Errorf("the change is %s, want pausedTime %s", body, tc.patch)
			}
			if at != nil && (at.After(time.Now()) || at.Before(&metav1.Time{Time: time.Now().Add(-time.Hour)})) {
				t.Errorf("paused at %s, which is not now", at)
			}
		})
	}
}

func TestSimulations_Delete(t *testing.T) {
	going := `{metadata: {finalizers: [simkube.io/simulation]}, status: {state: Running, driver: {phase: Replaying}}}`
	cleaning := `{metadata: {finalizers: [simkube.io/simulation], deletionTimestamp: "2025-03-01T12:30:00Z"}, status: {state: Running, driver: {phase: Cleaning}}}`
	for name, tc := range map[string]struct {
		args           []string
		sim            string
		stdout, stderr string
	}{
		"nothing to clean up": {[]string{"delete"}, "", "simulation.simkube.io/friday deleted\n", ""},
		"at once":             {[]string{"d"}, going, "simulation.simkube.io/friday is being deleted\n", ""},
		"to the end":          {[]string{"del", "--wait"}, going, "simulation.simkube.io/friday deleted\n", "Running, replaying\nRunning, cleaning, being deleted\ngone after 0s\n"},
	} {
		t.Run(name, func(t *testing.T) {
			server := newAPIServer(t)
			sim := simulated(t, "friday", tc.sim)
			server.have(sim)
			server.watched(changed("MODIFIED", simulated(t, "friday", cleaning)), changed("DELETED", sim))
			code, stdout, stderr := run(t, append(tc.args, "friday", "--kubeconfig", server.kubeconfig)...)
			// The duration differs from run to run.
			if before, _, ok := strings.Cut(stderr, "gone after "); ok {
				stderr = before + "gone after 0s\n"
			}
			if code != exitDone || stdout != tc.stdout || stderr != tc.stderr {
				t.Errorf("exit code %d, standard output %q, want %q, standard error %q, want %q", code, stdout, tc.stdout, stderr, tc.stderr)
			}
			deletes := server.made("DELETE")
			if len(deletes) != 1 || !strings.Contains(deletes[0], `"preconditions":{"uid":"uid-friday"}`) {
				t.Errorf("requests are %q, want one for this simulation and no other", deletes)
			}
		})
	}
}

func TestSimulations_Get(t *testing.T) {
	long := time.Now().Add(-50 * time.Hour).UTC().Format(time.RFC3339)
	friday := simulated(t, "friday", `
metadata: {creationTimestamp: "`+long+`", managedFields: [{manager: kubectl}]}
spec: {speed: 2.5, repetitions: 3, driver: {image: i, namespace: simkube, port: 1, tracePath: "s3://bucket/friday"}}
status:
  state: Running
  startTime: "2025-03-01T12:30:00Z"
  completedRuns: 1
  driver:
    phase: Replaying
    pod: sk-friday-driver-x
    run: 2
    problems: 4
    traceStart: "2025-01-01T00:00:00Z"
    traceTime: "2025-01-01T03:00:00Z"
    traceEnd: "2025-01-01T10:00:00Z"
    summaries: [{run: 1, problems: 1, deviations: 7}]`)
	sunday := simulated(t, "sunday", `
metadata: {creationTimestamp: "`+long+`"}
spec: {driver: {image: i, namespace: simkube, port: 1, tracePath: /data/trace}}
status:
  state: Failed
  conditions:
  - {type: Failed, status: "True", reason: TraceEmpty, message: "there is nothing in it\nrecord another", lastTransitionTime: "2025-03-01T12:30:00Z"}`)
	fresh := simulated(t, "monday", `spec: {driver: {image: i, namespace: simkube, port: 1, tracePath: /data/trace}}`)
	for name, tc := range map[string]struct {
		args []string
		want string
	}{
		"all": {nil, `NAME     STATE     RUNS   PROGRESS   PROBLEMS   DEVIATIONS   AGE    REASON
friday   Running   1/3    30%        5          7            2d2h   -
sunday   Failed    0/1    -          -          -            2d2h   TraceEmpty
monday   Pending   0/1    -          -          -            -      NotTakenUp
`},
		"one": {[]string{"sunday"}, `NAME     STATE    RUNS   PROGRESS   PROBLEMS   DEVIATIONS   AGE    REASON
sunday   Failed   0/1    -          -          -            2d2h   TraceEmpty
`},
		"wide": {[]string{"-o", "wide"}, `NAME     STATE     RUNS   PROGRESS   PROBLEMS   DEVIATIONS   AGE    REASON       SPEED   START                  END   TRACE                POD                  MESSAGE
friday   Running   1/3    30%        5          7            2d2h   -            2.5     2025-03-01T12:30:00Z   -     s3://bucket/friday   sk-friday-driver-x   -
sunday   Failed    0/1    -          -          -            2d2h   TraceEmpty   1       -                      -     /data/trace          -                    there is nothing in it record another
monday   Pending   0/1    -          -          -            -      NotTakenUp   1       -                      -     /data/trace          -                    sk-ctrl has not processed it yet; check that it is running
`},
		"names":    {[]string{"-o", "name"}, "simulation.simkube.io/friday\nsimulation.simkube.io/sunday\nsimulation.simkube.io/monday\n"},
		"one name": {[]string{"friday", "-o", "name"}, "simulation.simkube.io/friday\n"},
	} {
		t.Run(name, func(t *testing.T) {
			server := newAPIServer(t)
			server.have(friday, sunday, fresh)
			code, stdout, stderr := run(t, append([]string{"get", "--kubeconfig", server.kubeconfig}, tc.args...)...)
			if diff := cmp.Diff(tc.want, stdout); diff != "" || code != exitDone || stderr != "" {
				t.Errorf("exit code %d, standard error %q, output (-want +got):\n%s", code, stderr, diff)
			}
		})
	}

	server := newAPIServer(t)
	server.have(friday, sunday)
	for _, args := range [][]string{{"friday", "-o", "json"}, {"friday", "-o", "yaml"}, {"-o", "json"}, {"-o", "yaml"}} {
		_, stdout, _ := run(t, append([]string{"get", "--kubeconfig", server.kubeconfig}, args...)...)
		kind := "SimulationList"
		if len(args) == 3 {
			kind = "Simulation"
		}
		if !strings.Contains(stdout, kind) || !strings.Contains(stdout, "traceEnd") || strings.Contains(stdout, "managedFields") {
			t.Errorf("%s: output is %s", args, stdout)
		}
	}
}

// The logs are those of the newest pod.
func TestSimulations_Logs(t *testing.T) {
	pods := func(names ...string) http.HandlerFunc {
		return func(w http.ResponseWriter, r *http.Request) {
			items := []any{}
			if r.URL.Query().Get("labelSelector") == "job-name=sk-friday-driver" {
				for i, name := range names {
					node := "real-1"
					if name == "unplaced" {
						node = ""
					}
					at := time.Date(2025, 3, 1, 12, i, 0, 0, time.UTC).Format(time.RFC3339)
					items = append(items, map[string]any{"metadata": map[string]any{"name": name, "creationTimestamp": at}, "spec": map[string]any{"nodeName": node}})
				}
			}
			answer(w, map[string]any{"apiVersion": "v1", "kind": "PodList", "items": items})
		}
	}
	running := "{spec: {driver: {namespace: sims}}, status: {state: Running}}"
	for name, tc := range map[string]struct {
		sim    string
		args   []string
		pods   []string
		code   int
		stdout string
		stderr string
	}{
		"running":  {running, nil, []string{"old", "new"}, exitDone, "container=driver\n", ""},
		"some":     {running, []string{"--previous", "--tail", "3"}, []string{"old", "new"}, exitDone, "container=driver&previous=true&tailLines=3\n", ""},
		"followed": {running, []string{"-f"}, []string{"old", "new"}, exitDone, "container=driver&follow=true\n", ""},
		"no pod yet": {
			"{spec: {driver: {namespace: sims}}, status: {state: Blocked}}", nil, nil, exitFailed, "",
			"skctl: read the logs of simulation friday: it has no driver in namespace sims\n  hint: it is Blocked; to wait for the driver, run skctl logs -f friday\n",
		},
		"no node yet": {
			running, nil,
			[]string{"old", "unplaced"},
			exitFailed, "",
			"skctl: read the logs of simulation friday: it has no driver in namespace sims\n  hint: it is Running; to wait for the driver, run skctl logs -f friday\n",
		},
		"no pod any more": {
			"{spec: {driver: {namespace: sims}}, status: {state: Finished}}",
			[]string{"-f"},
			nil, exitFailed, "",
			"skctl: read the logs of simulation friday: it has no driver in namespace sims\n" +
				"  hint: it is Finished, and the driver's pod was deleted; see skctl get friday -o wide\n",
		},
		"both": {
			running,
			[]string{"-f", "--previous"},
			nil, exitUsage, "",
			"skctl: -f and --previous: only one of them can be used\n  hint: see skctl logs --help\n",
		},
	} {
		t.Run(name, func(t *testing.T) {
			server := newAPIServer(t)
			server.have(simulated(t, "friday", tc.sim))
			server.handle("GET /api/v1/namespaces/sims/pods", pods(tc.pods...))
			server.handle("GET /api/v1/namespaces/sims/pods/new/log", func(w http.ResponseWriter, r *http.Request) {
				_, _ = w.Write([]byte(r.URL.Query().Encode() + "\n"))
			})
			code, stdout, stderr := run(t, append([]string{"logs", "friday", "--kubeconfig", server.kubeconfig}, tc.args...)...)
			if code != tc.code || stdout != tc.stdout || stderr != tc.stderr {
				t.Errorf("exit code %d, standard output %q, want %q, standard error %q, want %q", code, stdout, tc.stdout, stderr, tc.stderr)
			}
		})
	}
}

// With -f, logs waits for the driver's pod.
func TestSimulations_Logs_Wait(t *testing.T) {
	server := newAPIServer(t)
	server.have(simulated(t, "friday", "{spec: {driver: {namespace: sims}}, status: {state: Initializing}}"))
	asked := 0
	server.handle("GET /api/v1/namespaces/sims/pods", func(w http.ResponseWriter, _ *http.Request) {
		items := []any{}
		switch asked++; asked {
		case 1:
		case 2:
			items = append(items, map[string]any{"metadata": map[string]any{"name": "new"}})
		default:
			items = append(items, map[string]any{"metadata": map[string]any{"name": "new"}, "spec": map[string]any{"nodeName": "real-1"}})
		}
		answer(w, map[string]any{"apiVersion": "v1", "kind": "PodList", "items": items})
	})
	tries := 0
	server.handle("GET /api/v1/namespaces/sims/pods/new/log", func(w http.ResponseWriter, r *http.Request) {
		if tries++; tries < 3 {
			refuse(http.StatusBadRequest, metav1.StatusReasonBadRequest, "container is waiting to start")(w, r)
			return
		}
		_, _ = w.Write([]byte("hello\n"))
	})
	var out, errs bytes.Buffer
	p := &program{name: "skctl", streams: Streams{Out: &out, Err: &errs}}
	kube := newKubeFlags()
	kube.KubeConfig = &server.kubeconfig
	sims, err := p.connectSimulations(kube)
	if err != nil {
		t.Fatal(err)
	}
	defer sims.close()
	sims.clock = impatientClock{clock.RealClock{}}
	err = p.runLogs(t.Context(), sims, "friday", &corev1.PodLogOptions{Container: driverContainer, Follow: true})
	want := "no driver yet: the simulation is Initializing\nno logs yet: container is waiting to start\n"
	if err != nil || out.String() != "hello\n" || errs.String() != want {
		t.Errorf("error %v, standard output %q, standard error %q, want %q", err, out.String(), errs.String(), want)
	}
}
