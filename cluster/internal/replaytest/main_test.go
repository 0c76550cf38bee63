package replaytest

import (
	"context"
	"os"
	"sync"
	"testing"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/client-go/discovery/cached/memory"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/metadata"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/restmapper"

	"simkube.io/simkube/cluster/controlplane"
	"simkube.io/simkube/cluster/internal/planetest"
	"simkube.io/simkube/cluster/internal/virtualtime"
	"simkube.io/simkube/internal/mutate"
)

const nodeCount = 5

// env is shared by the tests of this package: there can be one control plane per process.
var env struct {
	config *rest.Config
	client kubernetes.Interface
	owners mutate.OwnerGetter

	mu       sync.Mutex
	mutators map[string]*mutate.Mutator
}

func TestMain(m *testing.M) {
	virtualtime.Prepare()
	env.mutators = map[string]*mutate.Mutator{}
	os.Exit(planetest.Main(controlplane.Options{
		Controllers: controlplane.SimulationControllers(),
		KubeAPIQPS:  -1,
		MutatePod:   mutatePod,
		Minimal:     virtualtime.Enabled, // as in a simulation
	}, func(plane *controlplane.ControlPlane) (int, error) {
		if err := setUp(plane); err != nil {
			return 1, err
		}
		return m.Run(), nil
	}))
}

func setUp(plane *controlplane.ControlPlane) error {
	env.config = plane.RESTConfig()
	env.config.QPS = -1
	var err error
	if env.client, err = kubernetes.NewForConfig(env.config); err != nil {
		return err
	}
	meta, err := metadata.NewForConfig(env.config)
	if err != nil {
		return err
	}
	env.owners = mutate.NewClusterOwners(meta, restmapper.NewDeferredDiscoveryRESTMapper(memory.NewMemCacheClient(env.client.Discovery())))
	return planetest.CreateNodes(context.Background(), env.client, nodeCount)
}

// mutatePod passes a pod to every simulation of the running tests.
func mutatePod(ctx context.Context, pod *corev1.Pod, _ bool) (bool, error) {
	env.mu.Lock()
	mutators := make([]*mutate.Mutator, 0, len(env.mutators))
	for _, m := range env.mutators {
		mutators = append(mutators, m)
	}
	env.mu.Unlock()
	for _, m := range mutators {
		if changed, err := m.Mutate(ctx, pod); changed || err != nil {
			return changed, err
		}
	}
	return false, nil
}
