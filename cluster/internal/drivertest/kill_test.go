package drivertest

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/dynamic/dynamicinformer"
	"k8s.io/client-go/tools/cache"

	simkubev1 "simkube.io/simkube/api/v1"
	"simkube.io/simkube/trace"
)

// killsVariable is how often a driver is killed.
const (
	killsVariable = "SIMKUBE_KILLS"
	defaultKills  = "8"
)

// play runs in a child process: it runs a simulation until it is killed.
func play(role string) int {
	var p part
	if err := json.Unmarshal([]byte(role), &p); err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 2
	}
	// The parent closes the input of this process when the test has ended.
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	go func() {
		_, _ = os.Stdin.Read(make([]byte, 1))
		cancel()
	}()
	if err := drive(ctx, p, slog.New(slog.NewTextHandler(os.Stderr, &slog.HandlerOptions{Level: slog.LevelDebug}))); err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	return 0
}

// Drivers that are killed at random times are resumed by the next ones: in the end everything was
// applied, hooks ran once, and nothing is left. Every third one runs in another pod.
func TestKill(t *testing.T) {
	kills, err := strconv.Atoi(cmp.Or(os.Getenv(killsVariable), defaultKills))
	if err != nil {
		t.Fatal(err)
	}
	// A second for each kill on average, half of it in the second repetition.
	length := int64(kills)/2 + 10
	events, names := manyEvents(t, length)
	count := filepath.Join(t.TempDir(), "hooks")
	hook := func(word string) []simkubev1.SimulationHook {
		return []simkubev1.SimulationHook{{Cmd: "sh", Args: []string{"-c", "echo " + word + " >> " + count}, IgnoreFailure: true}}
	}
	s := prepare(t, events, func(sim *simkubev1.Simulation) {
		sim.Spec.Repetitions, sim.Spec.RescheduleInterruptedBarePods = new(int32(2)), new(true)
		sim.Spec.Hooks = &simkubev1.SimulationHooks{PreRunHooks: hook("before"), PostRunHooks: hook("after")}
	})
	saw := s.watch(simkubev1.SimulatedLabels(s.name))
	killed := 0
	for attempt := 0; ; attempt++ {
		// A container is restarted in the same pod, unless the node is gone.
		s.part.Pod = fmt.Sprintf("%s-pod-%d", s.name, attempt/3)
		after := time.Duration(0)
		if killed < kills {
			after = time.Duration(rand.Int64N(int64(2 * time.Second))) //nolint:gosec // moments, not secrets
		}
		output, ended := s.child(after)
		for line := range strings.Lines(output) {
			if strings.Contains(line, "level=WARN") || strings.Contains(line, "does not answer") {
				t.Log(strings.TrimSpace(line))
			}
		}
		if ended == nil {
			break
		}
		if after == 0 || !wasKilled(ended) {
			t.Fatalf("after %d kills a driver ended with %v:\n%s", killed, ended, output)
		}
		killed++
	}
	status := s.status()
	t.Logf("%d kills; %d restarts; summaries %+v", killed, status.Restarts, status.Summaries)
	if status.Phase != simkubev1.DriverFinished || len(status.Summaries) != 2 {
		t.Fatalf("status = %+v", status)
	}
	for _, summary := range status.Summaries {
		if int(summary.Events) != len(events) || int(summary.Applied) < len(names) || summary.Problems > 0 {
			t.Errorf("summary = %+v, of %d events with %d objects", summary, len(events), len(names))
		}
	}
	// What was certainly applied before the first checkpoint is created once in each repetition,
	// because a new driver resumes.
	saw.mu.Lock()
	for name, uids := range saw.names {
		if number, err := strconv.Atoi(strings.TrimPrefix(name, "ConfigMap object-")); err == nil && number >= 3 && len(uids) > 2 {
			t.Errorf("%s was made %d times", name, len(uids))
		}
	}
	for number, pods := range saw.numbers {
		if len(pods) > 1 {
			t.Errorf("the pods %v all have the number of %s", slices.Sorted(maps.Keys(pods)), number)
		}
	}
	saw.mu.Unlock()
	if missing := saw.has(names...); len(missing) > 0 {
		t.Errorf("%d of %d objects were never there: %v", len(missing), len(names), missing)
	}
	text, err := os.ReadFile(count)
	if err != nil && !errors.Is(err, os.ErrNotExist) {
		t.Fatal(err)
	}
	for _, word := range []string{"before", "after"} {
		if n := strings.Count(string(text), word); n > 2 {
			t.Errorf("the hook %s ran %d times in two repetitions", word, n)
		}
	}
}

// manyEvents returns an event for each second, and the names of its objects.
func manyEvents(t *testing.T, seconds int64) (events []trace.Event, names []string) {
	t.Helper()
	for i := range seconds {
		name := fmt.Sprintf("object-%d", i)
		manifests, named := []string{configMap(name)}, []string{"ConfigMap " + name}
		switch i % 5 {
		case 1:
			manifests, named = append(manifests, deployment(name, 2)), append(named, "Deployment "+name)
		case 3:
			manifests, named = append(manifests, pod(name)), append(named, "Pod "+name)
		}
		events, names = append(events, at(t, i, manifests...)), append(names, named...)
	}
	return events, names
}

// child runs a driver in a process of its own, and kills it after a while unless that is 0.
func (s *stage) child(after time.Duration) (output string, ended error) {
	s.tb.Helper()
	role, err := json.Marshal(s.part)
	if err != nil {
		s.tb.Fatal(err)
	}
	self, err := os.Executable()
	if err != nil {
		s.tb.Fatal(err)
	}
	cmd := exec.CommandContext(s.tb.Context(), self)
	cmd.Env = append(os.Environ(), roleVariable+"="+string(role))
	stdin, err := cmd.StdinPipe()
	if err != nil {
		s.tb.Fatal(err)
	}
	defer stdin.Close()
	var out strings.Builder
	cmd.Stdout, cmd.Stderr = &out, &out
	if err := cmd.Start(); err != nil {
		s.tb.Fatal(err)
	}
	if after > 0 {
		timer := time.AfterFunc(after, func() { _ = cmd.Process.Kill() })
		defer timer.Stop()
	}
	ended = cmd.Wait()
	return out.String(), ended
}

func wasKilled(err error) bool {
	var exit *exec.ExitError
	return errors.As(err, &exit) && !exit.Exited()
}

// watch records every object of the simulation of the kinds that the tests replay.
func (s *stage) watch(labels map[string]string) *seen {
	s.tb.Helper()
	saw := &seen{names: map[string]map[types.UID]bool{}, numbers: map[string]map[string]bool{}}
	var selector []string
	for key, value := range labels {
		selector = append(selector, key+"="+value)
	}
	factory := dynamicinformer.NewFilteredDynamicSharedInformerFactory(env.dynamic, 0, metav1.NamespaceAll, func(opts *metav1.ListOptions) {
		opts.LabelSelector = strings.Join(selector, ",")
	})
	for _, resource := range []schema.GroupVersionResource{
		{Version: "v1", Resource: "configmaps"}, {Version: "v1", Resource: "pods"}, {Group: "apps", Version: "v1", Resource: "deployments"},
	} {
		_, err := factory.ForResource(resource).Informer().AddEventHandler(cache.ResourceEventHandlerFuncs{AddFunc: func(object any) {
			u, ok := object.(*unstructured.Unstructured)
			if !ok {
				return
			}
			saw.add(u)
		}})
		if err != nil {
			s.tb.Fatal(err)
		}
	}
	ctx, cancel := context.WithCancel(s.tb.Context())
	factory.Start(ctx.Done())
	factory.WaitForCacheSync(ctx.Done())
	s.tb.Cleanup(func() { cancel(); factory.Shutdown() })
	return saw
}
