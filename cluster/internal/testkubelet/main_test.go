package testkubelet

import (
	"context"
	"fmt"
	"log/slog"
	"os"
	"testing"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/kubernetes"

	"simkube.io/simkube/cluster/controlplane"
	"simkube.io/simkube/cluster/internal/planetest"
	"simkube.io/simkube/cluster/internal/virtualtime"
)

// env is what the tests of this package share, since a process can run one control plane.
var env struct {
	client  kubernetes.Interface
	kubelet *Kubelet
}

const (
	patience = time.Minute
	// shell is an image without an entrypoint, self the image of this test binary.
	shell, self = "example.com/shell:1", "example.com/self:1"
	// simulated is a node that KWOK simulates.
	simulated = "virtual-0"
)

func TestMain(m *testing.M) {
	if virtualtime.Enabled {
		fmt.Fprintln(os.Stderr, "these tests start programs, which do not see virtual time")
		os.Exit(1)
	}
	if role := os.Getenv(roleVariable); role != "" {
		os.Exit(play(role, os.Args[1:]))
	}
	os.Exit(planetest.Main(controlplane.Options{AggregatorRouting: true, RealNodes: true, KubeAPIQPS: -1},
		func(plane *controlplane.ControlPlane) (int, error) { return runAll(m, plane) }))
}

func runAll(m *testing.M, plane *controlplane.ControlPlane) (code int, err error) {
	ctx, cancel := context.WithTimeout(context.Background(), 2*time.Minute)
	defer cancel()
	dir, err := os.MkdirTemp("", "testkubelet-*")
	if err != nil {
		return 1, err
	}
	defer os.RemoveAll(dir)
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
	if _, err := env.client.CoreV1().Nodes().Create(ctx, planetest.Node(simulated), metav1.CreateOptions{}); err != nil {
		return 1, err
	}
	return m.Run(), nil
}
