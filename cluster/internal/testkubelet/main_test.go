package testkubelet

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/kubernetes"

	simkubev1 "simkube.io/simkube/api/v1"
	"simkube.io/simkube/cluster/controlplane"
	"simkube.io/simkube/cluster/internal/virtualtime"
)

// env is what the tests of this package share: there can be one control plane in a process.
var env struct {
	client  kubernetes.Interface
	kubelet *Kubelet
}

const (
	patience = time.Minute
	// shell is an image without an entrypoint, self one that is this test binary.
	shell, self = "example.com/shell:1", "example.com/self:1"
	// simulated is a node that KWOK plays.
	simulated = "virtual-0"
)

func TestMain(m *testing.M) {
	if virtualtime.Enabled {
		return // processes live on the wall clock
	}
	if role := os.Getenv(roleVariable); role != "" {
		os.Exit(play(role, os.Args[1:]))
	}
	code, err := runAll(m)
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		code = 1
	}
	os.Exit(code)
}

func runAll(m *testing.M) (code int, err error) {
	ctx, cancel := context.WithTimeout(context.Background(), 2*time.Minute)
	defer cancel()
	dir, err := os.MkdirTemp("", "testkubelet-*")
	if err != nil {
		return 1, err
	}
	defer os.RemoveAll(dir)
	// The API server reaches pods directly, which are at this machine's own address.
	if err := errors.Join(os.Setenv("NO_PROXY", "*"), os.Setenv("no_proxy", "*")); err != nil {
		return 1, err
	}
	plane, err := controlplane.Start(ctx, controlplane.Options{AggregatorRouting: true, RealNodes: true, KubeAPIQPS: -1})
	if err != nil {
		return 1, fmt.Errorf("start the control plane: %w", err)
	}
	defer func() {
		if stopErr := plane.Stop(context.Background()); stopErr != nil && err == nil {
			err = fmt.Errorf("stop the control plane: %w", stopErr)
		}
	}()
	if env.client, err = kubernetes.NewForConfig(plane.RESTConfig()); err != nil {
		return 1, err
	}
	env.kubelet, err = Start(ctx, Options{
		Kubeconfig: plane.Kubeconfig(), Dir: dir, Images: map[string][]string{shell: nil, self: {os.Args[0]}},
		Logger: slog.New(slog.NewTextHandler(os.Stderr, nil)),
	})
	if err != nil {
		return 1, fmt.Errorf("start the kubelet: %w", err)
	}
	defer func() {
		if stopErr := env.kubelet.Stop(context.Background()); stopErr != nil && err == nil {
			err = stopErr
		}
	}()
	if _, err := env.client.CoreV1().Nodes().Create(ctx, simulatedNode(), metav1.CreateOptions{}); err != nil {
		return 1, err
	}
	return m.Run(), nil
}

func simulatedNode() *corev1.Node {
	capacity := corev1.ResourceList{corev1.ResourceCPU: resource.MustParse("64"), corev1.ResourceMemory: resource.MustParse("256Gi"), corev1.ResourcePods: resource.MustParse("110")}
	return &corev1.Node{
		ObjectMeta: metav1.ObjectMeta{
			Name: simulated, Labels: map[string]string{simkubev1.LabelNodeType: simkubev1.NodeTypeVirtual},
			Annotations: map[string]string{simkubev1.AnnotationKwokNode: "fake"},
		},
		Spec: corev1.NodeSpec{Taints: []corev1.Taint{{
			Key: simkubev1.TaintKwokProvider, Value: "true", Effect: corev1.TaintEffectNoSchedule,
		}}},
		Status: corev1.NodeStatus{Capacity: capacity, Allocatable: capacity},
	}
}
