package simulator_test

import (
	"context"
	"fmt"
	"os"
	"time"

	corev1 "k8s.io/api/core/v1"
	rbacv1 "k8s.io/api/rbac/v1"
	"k8s.io/client-go/informers"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/tools/cache"

	"simkube.io/simkube/cluster/controlplane"
	"simkube.io/simkube/cluster/simulator"
)

// A program that skctl can use in place of sk-cluster. It logs the pods that are added, as a
// controller that runs inside the control plane.
func ExampleMain() {
	component := controlplane.Component{
		Name:  "pod-log",
		Rules: []rbacv1.PolicyRule{{Verbs: []string{"list", "watch"}, APIGroups: []string{""}, Resources: []string{"pods"}}},
		Start: func(_ context.Context, access controlplane.Access) (controlplane.Instance, error) {
			client, err := kubernetes.NewForConfig(access.Config)
			if err != nil {
				return controlplane.Instance{}, err
			}
			factory := informers.NewSharedInformerFactory(client, 0)
			handler, err := factory.Core().V1().Pods().Informer().AddEventHandler(cache.ResourceEventHandlerFuncs{
				AddFunc: func(object any) { fmt.Fprintln(access.Log, "added", object.(*corev1.Pod).Name) },
			})
			if err != nil {
				return controlplane.Instance{}, err
			}
			return controlplane.Instance{
				Run: func(ctx context.Context) error {
					factory.StartWithContext(ctx)
					<-ctx.Done()
					factory.Shutdown()
					return nil
				},
				Ready: func(ctx context.Context) error {
					if !cache.WaitForNamedCacheSyncWithContext(ctx, handler.HasSynced) {
						return context.Cause(ctx)
					}
					return nil
				},
			}, nil
		},
	}
	os.Exit(simulator.Main(simulator.WithComponent(component)))
}

// A program that replays the first hour of a trace on 20 nodes.
func ExampleSimulate() {
	result, err := simulator.Simulate(context.Background(), simulator.Simulation{
		Trace:    "examples/day.sktrace",
		Output:   "result",
		Nodes:    "20",
		Duration: time.Hour,
	})
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	fmt.Println(result.Summary.Outcome.Pods.Created, "pods")
}
