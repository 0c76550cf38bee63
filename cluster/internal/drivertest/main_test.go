package drivertest

import (
	"context"
	"fmt"
	"os"
	"testing"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/dynamic"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/rest"

	"simkube.io/simkube/cluster/controlplane"
	"simkube.io/simkube/cluster/internal/planetest"
	"simkube.io/simkube/cluster/internal/virtualtime"
)

// roleVariable makes this test binary a driver.
const roleVariable = "SIMKUBE_DRIVERTEST_ROLE"

// driverNamespace is the namespace of drivers and the controller.
const driverNamespace = "simkube"

// env is shared by the tests of this package: there can be one control plane per process.
var env struct {
	config     *rest.Config
	client     kubernetes.Interface
	dynamic    dynamic.Interface
	kubeconfig string
}

func TestMain(m *testing.M) {
	if role := os.Getenv(roleVariable); role != "" {
		os.Exit(play(role))
	}
	if virtualtime.Enabled {
		fmt.Fprintln(os.Stderr, "these tests start programs, which do not see virtual time")
		os.Exit(1)
	}
	os.Exit(planetest.Main(controlplane.Options{KubeAPIQPS: -1}, func(plane *controlplane.ControlPlane) (int, error) {
		if err := setUp(plane); err != nil {
			return 1, err
		}
		return m.Run(), nil
	}))
}

func setUp(plane *controlplane.ControlPlane) error {
	env.config, env.kubeconfig = plane.RESTConfig(), plane.Kubeconfig()
	env.config.QPS = -1
	var err error
	if env.client, err = kubernetes.NewForConfig(env.config); err != nil {
		return err
	}
	if env.dynamic, err = dynamic.NewForConfig(env.config); err != nil {
		return err
	}
	ctx := context.Background()
	namespace := &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: driverNamespace}}
	if _, err := env.client.CoreV1().Namespaces().Create(ctx, namespace, metav1.CreateOptions{}); err != nil {
		return err
	}
	return planetest.CreateNodes(ctx, env.client, 3)
}
