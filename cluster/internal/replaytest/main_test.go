package replaytest

import (
	"context"
	"fmt"
	"os"
	"sync"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/discovery/cached/memory"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/metadata"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/restmapper"

	simkubev1 "simkube.io/simkube/api/v1"
	"simkube.io/simkube/cluster/controlplane"
	"simkube.io/simkube/cluster/internal/virtualtime"
	"simkube.io/simkube/internal/mutate"
)

const nodeCount = 5

// env is what the tests of this package share: there can be one control plane in a process.
var env struct {
	config *rest.Config
	client kubernetes.Interface
	owners mutate.OwnerGetter

	mu       sync.Mutex
	mutators map[string]*mutate.Mutator
}

func TestMain(m *testing.M) {
	virtualtime.Prepare()
	code, err := runAll(m)
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		code = 1
	}
	os.Exit(code)
}

func runAll(m *testing.M) (code int, err error) {
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	log, err := os.CreateTemp("", "replaytest-*.log")
	if err != nil {
		return 1, err
	}
	defer log.Close()
	env.mutators = map[string]*mutate.Mutator{}
	plane, err := controlplane.Start(ctx, controlplane.Options{
		Controllers: controlplane.SimulationControllers(),
		KubeAPIQPS:  -1,
		MutatePod:   mutatePod,
		Log:         log,
		Frugal:      virtualtime.Enabled, // as in a simulation
	})
	if err != nil {
		return 1, fmt.Errorf("start the control plane (log in %s): %w", log.Name(), err)
	}
	defer func() {
		if stopErr := plane.Stop(context.Background()); stopErr != nil && err == nil {
			err = fmt.Errorf("stop the control plane: %w", stopErr)
		}
		if code == 0 {
			os.Remove(log.Name())
		}
	}()
	env.config = plane.RESTConfig()
	env.config.QPS = -1
	if env.client, err = kubernetes.NewForConfig(env.config); err != nil {
		return 1, err
	}
	meta, err := metadata.NewForConfig(env.config)
	if err != nil {
		return 1, err
	}
	env.owners = mutate.NewClusterOwners(meta, restmapper.NewDeferredDiscoveryRESTMapper(memory.NewMemCacheClient(env.client.Discovery())))
	for i := range nodeCount {
		if _, err := env.client.CoreV1().Nodes().Create(ctx, node(i), metav1.CreateOptions{}); err != nil {
			return 1, fmt.Errorf("create node %d: %w", i, err)
		}
	}
	return m.Run(), nil
}

// mutatePod offers a pod to every simulation of the tests under way.
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

func node(i int) *corev1.Node {
	capacity := corev1.ResourceList{
		corev1.ResourceCPU:    resource.MustParse("64"),
		corev1.ResourceMemory: resource.MustParse("256Gi"),
		corev1.ResourcePods:   resource.MustParse("500"),
	}
	name := fmt.Sprintf("virtual-%d", i)
	return &corev1.Node{
		ObjectMeta: metav1.ObjectMeta{
			Name:        name,
			Labels:      map[string]string{simkubev1.LabelNodeType: simkubev1.NodeTypeVirtual, corev1.LabelHostname: name},
			Annotations: map[string]string{simkubev1.AnnotationKwokNode: "fake"},
		},
		Spec: corev1.NodeSpec{Taints: []corev1.Taint{{
			Key: simkubev1.TaintKwokProvider, Value: "true", Effect: corev1.TaintEffectNoSchedule,
		}}},
		Status: corev1.NodeStatus{Capacity: capacity, Allocatable: capacity},
	}
}
