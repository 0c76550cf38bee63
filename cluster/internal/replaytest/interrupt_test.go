package replaytest

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"simkube.io/simkube/internal/replay"
	"simkube.io/simkube/internal/virtualns"
	"simkube.io/simkube/trace"
)

// Wherever a replay is interrupted, the clean-up leaves nothing: newSim checks that.
func TestRun_interrupted(t *testing.T) {
	t.Parallel()
	for _, after := range []time.Duration{0, time.Millisecond, 20 * time.Millisecond, 150 * time.Millisecond, time.Second} {
		t.Run(after.String(), func(t *testing.T) {
			s := newSim(t, replay.Options{Speed: 5, RescheduleInterruptedBarePods: true}, nil)
			var events []trace.Event
			for second := range int64(20) {
				event := at(t, second, deployment(fmt.Sprintf("ns%d", second%4), fmt.Sprintf("app%d", second), 2), barePod("bare", fmt.Sprintf("pod%d", second), ""))
				events = append(events, event)
			}
			ctx, cancel := context.WithCancel(t.Context())
			defer cancel()
			time.AfterFunc(after, cancel)
			report, err := s.engine.Run(ctx, planOf(replay.Plan{}, events))
			if !errors.Is(err, context.Canceled) {
				t.Errorf("Run() = %v, want it cancelled", err)
			}
			t.Logf("%d events, %d applied before", report.Events, report.Applied)
			checkProblems(t, report)
		})
	}
}

// A run that ended without cleaning up is cleaned up by the next one of the same name.
func TestCreateRoot_afterCrash(t *testing.T) {
	t.Parallel()
	s := newSim(t, replay.Options{}, nil)
	s.run(t, replay.Plan{}, at(t, 0, deployment("web", "shop", 2),
		"{apiVersion: scheduling.k8s.io/v1, kind: PriorityClass, metadata: {name: crashed}, value: 1000}"))
	again, err := replay.New(env.config, replay.Options{Simulation: s.name, Namespaces: virtualns.New(s.name), Shared: true})
	if err != nil {
		t.Fatal(err)
	}
	root, err := again.CreateRoot(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if root.UID == s.root.UID || root.Name != s.root.Name {
		t.Errorf("root = %v, want a new one in place of %v", root, s.root)
	}
	list, err := env.client.AppsV1().Deployments(s.namespace("web")).List(t.Context(), metav1.ListOptions{})
	if err != nil || len(list.Items) > 0 {
		t.Errorf("Deployments = %v, %v; want none", list.Items, err)
	}
	if _, err := env.client.SchedulingV1().PriorityClasses().Get(t.Context(), "crashed", metav1.GetOptions{}); err == nil {
		t.Errorf("the PriorityClass is still there")
	}
}

func TestCleanup_givesUpWithItsContext(t *testing.T) {
	t.Parallel()
	s := newSim(t, replay.Options{}, nil)
	s.run(t, replay.Plan{}, at(t, 0, deployment("web", "shop", 2)))
	ctx, cancel := context.WithTimeout(t.Context(), time.Second)
	defer cancel()
	err := s.engine.Cleanup(ctx, nil)
	if !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("Cleanup() = %v, want the deadline", err)
	}
	t.Log(err)
}
