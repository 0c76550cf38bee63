package tracertest

import (
	"context"
	"os"
	"sync/atomic"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/client-go/dynamic"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/rest"

	"simkube.io/simkube/cluster/controlplane"
	"simkube.io/simkube/cluster/internal/planetest"
	"simkube.io/simkube/cluster/internal/virtualtime"
	"simkube.io/simkube/internal/mutate"
)

// midnight is the beginning of the example day. In virtual time the control plane is started a
// little earlier.
var midnight = time.Date(2026, 3, 10, 0, 0, 0, 0, time.UTC)

// env is shared by the tests of this package, since a process can have only one control plane.
var env struct {
	plane   *controlplane.ControlPlane
	config  *rest.Config
	client  kubernetes.Interface
	dynamic dynamic.Interface
	// mutator is that of the running simulation, if there is one.
	mutator atomic.Pointer[mutate.Mutator]
}

func TestMain(m *testing.M) {
	virtualtime.Prepare()
	if role := os.Getenv(roleVariable); role != "" {
		os.Exit(play(role))
	}
	if role := os.Getenv(exporterVariable); role != "" {
		os.Exit(playExporter(role))
	}
	if virtualtime.Enabled {
		virtualtime.Set(midnight.Add(-time.Minute))
	}
	os.Exit(planetest.Main(controlplane.Options{
		Controllers: controlplane.SimulationControllers(),
		KubeAPIQPS:  -1,
		MutatePod:   mutatePod,
		Minimal:     virtualtime.Enabled, // as in a simulation
	}, func(plane *controlplane.ControlPlane) (int, error) {
		if err := connect(plane); err != nil {
			return 1, err
		}
		return m.Run(), nil
	}))
}

func connect(plane *controlplane.ControlPlane) error {
	env.plane, env.config = plane, plane.RESTConfig()
	env.config.QPS = -1
	var err error
	if env.client, err = kubernetes.NewForConfig(env.config); err != nil {
		return err
	}
	env.dynamic, err = dynamic.NewForConfig(env.config)
	return err
}

func mutatePod(ctx context.Context, pod *corev1.Pod, dryRun bool) (bool, error) {
	switch m := env.mutator.Load(); {
	case m == nil:
		return false, nil
	case dryRun:
		return m.Preview(ctx, pod)
	default:
		return m.Mutate(ctx, pod)
	}
}
