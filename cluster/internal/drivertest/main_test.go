package drivertest

import (
	"context"
	"fmt"
	"os"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/dynamic"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/rest"

	simkubev1 "simkube.io/simkube/api/v1"
	"simkube.io/simkube/cluster/controlplane"
	"simkube.io/simkube/cluster/internal/virtualtime"
)

// roleVariable has this test binary be a driver.
const roleVariable = "SIMKUBE_DRIVERTEST_ROLE"

// driverNamespace is where drivers and the controller would be.
const driverNamespace = "simkube"

// env is what the tests of this package share: there can be one control plane in a process.
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
		// Webhooks are left out of a control plane in virtual time, and a driver is for real clusters.
		fmt.Println("drivers are not for virtual time: nothing to test")
		return
	}
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
	log, err := os.CreateTemp("", "drivertest-*.log")
	if err != nil {
		return 1, err
	}
	defer log.Close()
	plane, err := controlplane.Start(ctx, controlplane.Options{KubeAPIQPS: -1, Log: log})
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
	env.config, env.kubeconfig = plane.RESTConfig(), plane.Kubeconfig()
	env.config.QPS = -1
	if env.client, err = kubernetes.NewForConfig(env.config); err != nil {
		return 1, err
	}
	if env.dynamic, err = dynamic.NewForConfig(env.config); err != nil {
		return 1, err
	}
	namespace := &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: driverNamespace}}
	if _, err := env.client.CoreV1().Namespaces().Create(ctx, namespace, metav1.CreateOptions{}); err != nil {
		return 1, err
	}
	for i := range 3 {
		if _, err := env.client.CoreV1().Nodes().Create(ctx, node(i), metav1.CreateOptions{}); err != nil {
			return 1, fmt.Errorf("create node %d: %w", i, err)
		}
	}
	return m.Run(), nil
}

func node(i int) *corev1.Node {
	capacity := corev1.ResourceList{
		corev1.ResourceCPU: resource.MustParse("64"), corev1.ResourceMemory: resource.MustParse("256Gi"), corev1.ResourcePods: resource.MustParse("500"),
	}
	name := fmt.Sprintf("virtual-%d", i)
	return &corev1.Node{
		ObjectMeta: metav1.ObjectMeta{
			Name:        name,
			Labels:      map[string]string{simkubev1.LabelNodeType: simkubev1.NodeTypeVirtual, corev1.LabelHostname: name},
			Annotations: map[string]string{simkubev1.AnnotationKwokNode: "fake"},
		},
		Spec:   corev1.NodeSpec{Taints: []corev1.Taint{{Key: simkubev1.TaintKwokProvider, Value: "true", Effect: corev1.TaintEffectNoSchedule}}},
		Status: corev1.NodeStatus{Capacity: capacity, Allocatable: capacity},
	}
}
