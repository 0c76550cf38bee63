package drivertest

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/wait"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/tools/clientcmd"

	simkubev1 "simkube.io/simkube/api/v1"
	"simkube.io/simkube/cluster/internal/hostile"
	"simkube.io/simkube/internal/action"
)

// hostileAtOnce is how many drivers run at once in TestHostile.
const hostileAtOnce = 12

// A driver with the permissions of the shipped manifests replays traces that refer to objects
// outside of their simulation, and changes none of them. What others create meanwhile is not
// affected either.
func TestHostile(t *testing.T) {
	ctx := t.Context()
	kubeconfig := shippedRights(t)
	outside, err := hostile.CreateOutside(ctx, env.client)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := hostile.DeleteOutside(context.WithoutCancel(ctx), env.client); err != nil {
			t.Error(err)
		}
	})
	if err := hostile.CreateClaims(ctx, env.client); err != nil {
		t.Fatal(err)
	}
	before, err := hostile.ListSettled(ctx, env.config)
	if err != nil {
		t.Fatal(err)
	}
	count, err := hostile.Count(hostileAtOnce)
	if err != nil {
		t.Fatal(err)
	}
	for first := 0; first < count && !t.Failed(); first += hostileAtOnce {
		last := min(first+hostileAtOnce, count)
		bystand := bystander(t)
		var drivers sync.WaitGroup // more than processors: they mostly wait
		for seed := first; seed < last; seed++ {
			drivers.Go(func() {
				t.Run(strconv.Itoa(seed), func(t *testing.T) { replayHostile(t, uint64(seed), outside, kubeconfig) })
			})
		}
		drivers.Wait()
		bystand()
		if err := hostile.CheckUntouched(ctx, env.config, before); err != nil {
			t.Error(err)
		}
	}
}

// replayHostile runs a driver with one trace. It may fail, but must end and leave nothing.
func replayHostile(t *testing.T, seed uint64, outside *hostile.Outside, kubeconfig string) {
	file := hostile.Trace(seed, outside)
	s := prepare(t, file.Events, func(sim *simkubev1.Simulation) { sim.Spec.Speed = new(10.0) })
	s.part.Kubeconfig = kubeconfig
	if err := s.start(t.Context())(); err != nil {
		t.Errorf("the driver failed: %v", err)
	}
	status := s.status()
	if len(status.Summaries) != 1 || status.Summaries[0].Problems == 0 {
		t.Errorf("summaries = %+v, want one, with problems", status.Summaries)
	}
}

// bystander creates pods outside of all simulations until it is stopped, and checks that each is
// unchanged and scheduled to a node that is not simulated.
func bystander(t *testing.T) (stop func()) {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan struct{})
	go func() {
		defer close(done)
		for i := 0; ctx.Err() == nil; i++ {
			if err := stand(context.WithoutCancel(ctx), fmt.Sprint("bystander-", i)); err != nil {
				t.Errorf("a pod of another workload: %v", err)
				return
			}
		}
	}()
	return func() {
		cancel()
		<-done
	}
}

func stand(ctx context.Context, name string) error {
	pods := env.client.CoreV1().Pods(hostile.Namespace)
	pod := &corev1.Pod{
		ObjectMeta: metav1.ObjectMeta{Name: name},
		Spec:       corev1.PodSpec{Containers: []corev1.Container{{Name: "main", Image: "nginx"}}, TerminationGracePeriodSeconds: new(int64(0))},
	}
	made, err := pods.Create(ctx, pod, metav1.CreateOptions{})
	if err != nil {
		return err
	}
	if *made.Spec.Priority != 0 || made.Spec.PriorityClassName != "" || made.Spec.RuntimeClassName != nil || len(made.OwnerReferences) > 0 {
		return fmt.Errorf("%s was made as %+v", name, made.Spec)
	}
	err = wait.PollUntilContextTimeout(ctx, 50*time.Millisecond, waitTime, true, func(ctx context.Context) (bool, error) {
		made, err = pods.Get(ctx, name, metav1.GetOptions{})
		return err == nil && made.Spec.NodeName != "", err
	})
	if err != nil {
		return fmt.Errorf("%s was not scheduled: %w: %+v", name, err, made.Status.Conditions)
	}
	if !strings.HasPrefix(made.Spec.NodeName, "real-") {
		return fmt.Errorf("%s landed on %s", name, made.Spec.NodeName)
	}
	return pods.Delete(ctx, name, metav1.DeleteOptions{})
}

// shippedRights applies the roles of the manifests, and returns the path of a kubeconfig for the
// driver's account.
func shippedRights(t *testing.T) string {
	t.Helper()
	ctx := t.Context()
	runner := &action.Runner{Config: env.config}
	for _, name := range []string{"serviceaccounts.yaml", "driver-rbac.yaml", "driver-workloads.yaml", "driver-namespace-rbac.yaml", "ctrl-namespace-rbac.yaml"} {
		text, err := os.ReadFile(filepath.Join("../../../config/sim/sk-ctrl", name))
		if err != nil {
			t.Fatal(err)
		}
		if _, err := runner.Run(ctx, simkubev1.SimulationHook{Apply: &simkubev1.ApplyAction{Manifests: string(text)}}, nil); err != nil {
			t.Fatal(err)
		}
	}
	config, err := clientcmd.LoadFromFile(env.kubeconfig)
	if err != nil {
		t.Fatal(err)
	}
	for _, user := range config.AuthInfos {
		user.Impersonate = "system:serviceaccount:" + driverNamespace + ":sk-driver"
		user.ImpersonateGroups = []string{"system:serviceaccounts", "system:serviceaccounts:" + driverNamespace, "system:authenticated"}
	}
	path := filepath.Join(t.TempDir(), "kubeconfig")
	if err := clientcmd.WriteToFile(*config, path); err != nil {
		t.Fatal(err)
	}
	waitForRights(t, path)
	return path
}

// waitForRights waits until the roles are aggregated, and checks that they do not grant everything.
func waitForRights(t *testing.T, kubeconfig string) {
	t.Helper()
	config, err := clientcmd.BuildConfigFromFlags("", kubeconfig)
	if err != nil {
		t.Fatal(err)
	}
	client, err := kubernetes.NewForConfig(config)
	if err != nil {
		t.Fatal(err)
	}
	err = wait.PollUntilContextTimeout(t.Context(), 100*time.Millisecond, waitTime, true, func(ctx context.Context) (bool, error) {
		_, err := client.CoreV1().ConfigMaps(hostile.Namespace).List(ctx, metav1.ListOptions{})
		return err == nil, nil
	})
	if err != nil {
		t.Fatalf("wait for the driver's rights: %v", err)
	}
	if _, err := client.CoreV1().Secrets(hostile.Namespace).List(t.Context(), metav1.ListOptions{}); !apierrors.IsForbidden(err) {
		t.Fatalf("list Secrets as the driver: %v, want it forbidden", err)
	}
}
