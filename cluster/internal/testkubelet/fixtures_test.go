package testkubelet

import (
	"bytes"
	"context"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/wait"
)

func newNamespace(t *testing.T) string {
	t.Helper()
	made, err := env.client.CoreV1().Namespaces().Create(t.Context(), &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{GenerateName: "test-"}}, metav1.CreateOptions{})
	if err != nil {
		t.Fatal(err)
	}
	// A controller creates the default service account a moment later.
	eventually(t, "the service account", func() bool {
		_, err := env.client.CoreV1().ServiceAccounts(made.Name).Get(t.Context(), "default", metav1.GetOptions{})
		return err == nil
	})
	return made.Name
}

// script returns a container that runs a shell script.
func script(text string, changes ...func(*corev1.Container)) corev1.Container {
	c := corev1.Container{Name: "main", Image: shell, Command: []string{"sh", "-c", text}}
	for _, change := range changes {
		change(&c)
	}
	return c
}

func podOf(name string, c corev1.Container) *corev1.Pod {
	return &corev1.Pod{
		ObjectMeta: metav1.ObjectMeta{Name: name},
		Spec:       corev1.PodSpec{NodeName: DefaultNodeName, RestartPolicy: corev1.RestartPolicyNever, Containers: []corev1.Container{c}},
	}
}

func create(t *testing.T, namespace, name string, c corev1.Container, changes ...func(*corev1.Pod)) {
	t.Helper()
	pod := podOf(name, c)
	for _, change := range changes {
		change(pod)
	}
	if _, err := env.client.CoreV1().Pods(namespace).Create(t.Context(), pod, metav1.CreateOptions{}); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = env.client.CoreV1().Pods(namespace).Delete(context.WithoutCancel(t.Context()), name, *metav1.NewDeleteOptions(0))
	})
}

func createSecret(t *testing.T, namespace, name string, values map[string]string) {
	t.Helper()
	secret := &corev1.Secret{ObjectMeta: metav1.ObjectMeta{Name: name}, StringData: values}
	if _, err := env.client.CoreV1().Secrets(namespace).Create(t.Context(), secret, metav1.CreateOptions{}); err != nil {
		t.Fatal(err)
	}
}

func remove(t *testing.T, namespace, name string, grace int64) {
	t.Helper()
	if err := env.client.CoreV1().Pods(namespace).Delete(t.Context(), name, *metav1.NewDeleteOptions(grace)); err != nil {
		t.Fatal(err)
	}
}

// waitForPod waits until the pod meets the condition.
func waitForPod(t *testing.T, namespace, name string, is func(*corev1.Pod) bool) *corev1.Pod {
	t.Helper()
	var last *corev1.Pod
	err := wait.PollUntilContextTimeout(t.Context(), 20*time.Millisecond, patience, true, func(ctx context.Context) (bool, error) {
		pod, err := env.client.CoreV1().Pods(namespace).Get(ctx, name, metav1.GetOptions{})
		if err != nil {
			return false, err
		}
		last = pod
		return is(pod), nil
	})
	if err != nil {
		t.Fatalf("wait for pod %s: %v; it is %+v; it printed %q", name, err, last, env.kubelet.Logs(namespace, name))
	}
	return last
}

func eventually(t *testing.T, what string, is func() bool) {
	t.Helper()
	err := wait.PollUntilContextTimeout(t.Context(), 20*time.Millisecond, patience, true, func(context.Context) (bool, error) { return is(), nil })
	if err != nil {
		t.Fatalf("wait for %s: %v", what, err)
	}
}

func ready(pod *corev1.Pod) bool {
	return slices.ContainsFunc(pod.Status.Conditions, func(c corev1.PodCondition) bool {
		return c.Type == corev1.PodReady && c.Status == corev1.ConditionTrue
	})
}

func processes(namespace string) []Process {
	return slices.DeleteFunc(env.kubelet.Processes(), func(p Process) bool { return p.Namespace != namespace })
}

// members returns the processes of a group that have not ended. It skips zombies, whose parent is
// not known here.
func members(t *testing.T, group int) []string {
	t.Helper()
	paths, err := filepath.Glob("/proc/[0-9]*/stat")
	if err != nil || len(paths) == 0 {
		t.Fatalf("list the processes of this system: found %d in /proc, %v; the test needs Linux", len(paths), err)
	}
	var all []string
	for _, path := range paths {
		stat, err := os.ReadFile(path)
		if err != nil {
			continue // it has just ended
		}
		// The state, the parent and the group follow the name, which is in parentheses.
		fields := strings.Fields(string(stat[bytes.LastIndexByte(stat, ')')+1:]))
		if fields[0] != "Z" && fields[2] == strconv.Itoa(group) {
			all = append(all, path)
		}
	}
	return all
}
