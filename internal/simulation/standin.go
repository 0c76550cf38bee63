package simulation

import (
	"cmp"
	"context"
	"fmt"
	"maps"
	"slices"
	"time"

	"k8s.io/apimachinery/pkg/runtime/schema"

	"simkube.io/simkube/internal/mutate"
	"simkube.io/simkube/internal/results"
	"simkube.io/simkube/internal/standin"
	"simkube.io/simkube/internal/words"
	"simkube.io/simkube/trace"
)

// CustomControllers is what makes the pods of custom workloads, such as the jobs of Volcano, Ray or
// Spark.
type CustomControllers string

const (
	// StandIn makes them in place of controllers that are not in the cluster.
	StandIn CustomControllers = "stand-in"
	// NoStandIn leaves them to controllers that are.
	NoStandIn CustomControllers = "none"
)

// startStandIn starts the stand-in for the controllers of custom workloads, if there is to be one
// and the trace has such workloads.
func (s *session) startStandIn(ctx context.Context, root mutate.Root, times results.TimeMap) error {
	if s.spec.ExistingNodes || s.spec.CustomControllers == NoStandIn || !s.owners.custom {
		return nil
	}
	config, err := readConfig(s.spec.Trace)
	if err != nil {
		return err
	}
	s.standIn, err = standin.Start(ctx, s.Cluster.Config, standin.Options{
		Config:     config,
		Lifecycles: s.lifecycles,
		Root:       root.UID,
		Made:       s.owners.hasParts,
		Elapsed:    func(now time.Time) int64 { return times.Trace(now).Unix() },
		Until: func(trace int64) time.Time {
			return times.ClockStart.Add(time.Duration(float64(trace-s.origin) / s.spec.Speed * float64(time.Second)))
		},
		Clock: s.Clock,
		Log:   s.Log,
	})
	if err != nil {
		return fmt.Errorf("start the stand-in for the controllers of custom workloads: %w", err)
	}
	return nil
}

func readConfig(path string) (*trace.Config, error) {
	file, err := trace.Open(path)
	if err != nil {
		return nil, fmt.Errorf("open trace: %w", err)
	}
	defer file.Close()
	return file.Config(), nil
}

// applied is called for every object that the replay has applied.
func (s *session) applied(gvk schema.GroupVersionKind, resource schema.GroupVersionResource) {
	if s.standIn != nil {
		s.standIn.Watch(gvk, resource)
	}
}

// stopStandIn stops the stand-in, and reports what it has made.
func (s *session) stopStandIn() {
	if s.standIn == nil {
		return
	}
	s.standIn.Stop()
	if text := standInNote(s.standIn.Made()); text != "" {
		s.Report(Message{Note: &Note{Level: Info, Text: text}})
	}
}

// standInNote describes what a stand-in has made. It is empty if that is nothing.
func standInNote(made standin.Made) string {
	if made.Pods == 0 {
		return ""
	}
	workloads := 0
	for _, n := range made.Workloads {
		workloads += n
	}
	kinds := slices.SortedFunc(maps.Keys(made.Workloads), func(a, b schema.GroupKind) int {
		return cmp.Or(cmp.Compare(a.Group, b.Group), cmp.Compare(a.Kind, b.Kind))
	})
	var names []string
	for _, kind := range kinds {
		names = append(names, kind.Kind+"."+kind.Group)
	}
	controllers := "whose controllers are"
	if workloads == 1 {
		controllers = "whose controller is"
	}
	return fmt.Sprintf("made %s of %s (%s) %s not in the cluster; --custom-controllers %s turns this off",
		words.Count(made.Pods, "pod"), words.Count(workloads, "custom workload"), words.First(maxKinds, names...), controllers, NoStandIn)
}

// maxKinds is how many kinds a note names.
const maxKinds = 5
