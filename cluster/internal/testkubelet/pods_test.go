package testkubelet

import (
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	batchv1 "k8s.io/api/batch/v1"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/fields"
)

// TestPod_Lifecycle runs a shell that ignores signals to terminate, and deletes its pod.
func TestPod_Lifecycle(t *testing.T) {
	namespace := newNamespace(t)
	create(t, namespace, "calm", script("trap 'echo bye; exit 0' TERM; echo $GREETING $NAME; while true; do sleep 0.1; done", func(c *corev1.Container) {
		c.Env = []corev1.EnvVar{
			{Name: "GREETING", Value: "hello"},
			{Name: "NAME", ValueFrom: &corev1.EnvVarSource{FieldRef: &corev1.ObjectFieldSelector{FieldPath: "metadata.name"}}},
		}
	}))
	create(t, namespace, "deaf", script("trap '' TERM; while true; do sleep 0.1; done"))
	for _, name := range []string{"calm", "deaf"} {
		pod := waitForPod(t, namespace, name, ready)
		if pod.Status.Phase != corev1.PodRunning || pod.Status.PodIP != env.kubelet.Address() || pod.Status.ContainerStatuses[0].State.Running == nil {
			t.Errorf("%s: got %+v", name, pod.Status)
		}
	}
	eventually(t, "the greeting", func() bool { return env.kubelet.Logs(namespace, "calm") == "hello calm\n" })
	running := processes(namespace)
	if len(running) != 2 {
		t.Fatalf("got processes %v, want two", running)
	}
	seconds := int64(60)
	remove(t, namespace, "calm", seconds)
	remove(t, namespace, "deaf", 1)
	waitGone(t, namespace, "calm")
	waitGone(t, namespace, "deaf")
	if got := env.kubelet.Logs(namespace, "calm"); !strings.HasSuffix(got, "bye\n") {
		t.Errorf("it was not asked to end: %q", got)
	}
	for _, process := range running {
		eventually(t, "the end of the processes of "+process.Pod, func() bool { return len(members(t, process.PID)) == 0 })
	}
}

// TestPod_Restarts runs a container that fails twice and succeeds the third time.
func TestPod_Restarts(t *testing.T) {
	namespace := newNamespace(t)
	create(t, namespace, "trying", script("echo x >>/data/tries; test $(wc -l </data/tries) -ge 3", func(c *corev1.Container) {
		c.VolumeMounts = []corev1.VolumeMount{{Name: "data", MountPath: "/data"}}
	}), func(p *corev1.Pod) {
		p.Spec.RestartPolicy = corev1.RestartPolicyOnFailure
		p.Spec.Volumes = []corev1.Volume{{Name: "data", VolumeSource: corev1.VolumeSource{EmptyDir: &corev1.EmptyDirVolumeSource{}}}}
	})
	create(t, namespace, "failing", script("exit 3"))
	pod := waitForPod(t, namespace, "trying", func(p *corev1.Pod) bool { return terminal(p.Status.Phase) })
	status := pod.Status.ContainerStatuses[0]
	if pod.Status.Phase != corev1.PodSucceeded || status.RestartCount != 2 || status.LastTerminationState.Terminated == nil || status.LastTerminationState.Terminated.ExitCode != 1 {
		t.Errorf("got %s, %+v", pod.Status.Phase, status)
	}
	pod = waitForPod(t, namespace, "failing", func(p *corev1.Pod) bool { return terminal(p.Status.Phase) })
	if end := pod.Status.ContainerStatuses[0].State.Terminated; pod.Status.Phase != corev1.PodFailed || end == nil || end.ExitCode != 3 {
		t.Errorf("got %+v", pod.Status)
	}
	create(t, namespace, "killed", script("sleep 100"), func(p *corev1.Pod) { p.Spec.RestartPolicy = corev1.RestartPolicyAlways })
	waitForPod(t, namespace, "killed", ready)
	before := processes(namespace)
	if len(before) != 1 {
		t.Fatalf("got %v", before)
	}
	if err := syscall.Kill(before[0].PID, syscall.SIGKILL); err != nil {
		t.Fatal(err)
	}
	pod = waitForPod(t, namespace, "killed", func(p *corev1.Pod) bool { return ready(p) && p.Status.ContainerStatuses[0].RestartCount == 1 })
	if end := pod.Status.ContainerStatuses[0].LastTerminationState.Terminated; end == nil || end.ExitCode != 137 || end.Signal != 9 {
		t.Errorf("after a kill: %+v", end)
	}
}

// TestPod_Volumes checks that pods wait for what they mount.
func TestPod_Volumes(t *testing.T) {
	namespace := newNamespace(t)
	trace := filepath.Join(t.TempDir(), "trace")
	kind := corev1.HostPathFile
	create(t, namespace, "reader", script("cat /etc/certs/tls.crt; cat /data/trace; test ! -e /etc/certs/other && echo $LOGIN", func(c *corev1.Container) {
		c.VolumeMounts = []corev1.VolumeMount{{Name: "certs", MountPath: "/etc/certs"}, {Name: "trace", MountPath: "/data/trace"}}
		c.EnvFrom = []corev1.EnvFromSource{{SecretRef: &corev1.SecretEnvSource{LocalObjectReference: corev1.LocalObjectReference{Name: "login"}}}}
	}), func(p *corev1.Pod) {
		p.Spec.Volumes = []corev1.Volume{
			{Name: "certs", VolumeSource: corev1.VolumeSource{Secret: &corev1.SecretVolumeSource{
				SecretName: "certs", Items: []corev1.KeyToPath{{Key: "crt", Path: "tls.crt"}},
			}}},
			{Name: "trace", VolumeSource: corev1.VolumeSource{HostPath: &corev1.HostPathVolumeSource{Path: trace, Type: &kind}}},
		}
	})
	waitForEvent(t, namespace, "reader", "FailedMount", `secrets "certs" not found`)
	createSecret(t, namespace, "certs", map[string]string{"crt": "the certificate\n", "other": "x"})
	waitForEvent(t, namespace, "reader", "FailedMount", "hostPath type check failed: "+trace+" is not a File")
	if pod := waitForPod(t, namespace, "reader", func(*corev1.Pod) bool { return true }); pod.Status.Phase != corev1.PodPending {
		t.Errorf("it does not wait: %+v", pod.Status)
	}
	if err := os.WriteFile(trace, []byte("the trace\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	waitForPod(t, namespace, "reader", func(p *corev1.Pod) bool {
		waiting := p.Status.ContainerStatuses[0].State.Waiting
		return waiting != nil && waiting.Reason == reasonConfig && strings.Contains(waiting.Message, `secrets "login" not found`)
	})
	createSecret(t, namespace, "login", map[string]string{"LOGIN": "open"})
	pod := waitForPod(t, namespace, "reader", func(p *corev1.Pod) bool { return terminal(p.Status.Phase) })
	if got := env.kubelet.Logs(namespace, "reader"); pod.Status.Phase != corev1.PodSucceeded || got != "the certificate\nthe trace\nopen\n" {
		t.Errorf("got %s and %q", pod.Status.Phase, got)
	}
}

// TestPod_NoImage also checks that KWOK ignores the node's pods: it would make this one run at
// once.
func TestPod_NoImage(t *testing.T) {
	namespace := newNamespace(t)
	create(t, namespace, "stranger", script("true", func(c *corev1.Container) { c.Image = "example.com/stranger:1" }))
	waitForPod(t, namespace, "stranger", func(p *corev1.Pod) bool {
		waiting := p.Status.ContainerStatuses
		return p.Status.Phase == corev1.PodPending && len(waiting) == 1 && waiting[0].State.Waiting != nil && waiting[0].State.Waiting.Reason == reasonImage
	})
	create(t, namespace, "simulated", script("true"), func(p *corev1.Pod) { p.Spec.NodeName = simulated })
	// By KWOK, which has had the time to change the other pod, too.
	waitForPod(t, namespace, "simulated", ready)
	if pod := waitForPod(t, namespace, "stranger", func(*corev1.Pod) bool { return true }); pod.Status.Phase != corev1.PodPending {
		t.Errorf("another kubelet has changed the pod: %+v", pod.Status)
	}
	node, err := env.client.CoreV1().Nodes().Get(t.Context(), DefaultNodeName, metav1.GetOptions{})
	if err != nil {
		t.Fatal(err)
	}
	if address := node.Status.Addresses[0].Address; address != env.kubelet.Address() || len(node.Spec.Taints) > 0 {
		t.Errorf("the node has the address %s and the taints %v", address, node.Spec.Taints)
	}
	remove(t, namespace, "stranger", 30)
	waitGone(t, namespace, "stranger")
}

// TestJob needs the scheduler and the Job controller.
func TestJob(t *testing.T) {
	namespace := newNamespace(t)
	template := podOf("", script("echo done"))
	template.Spec.NodeName = ""
	job := &batchv1.Job{
		ObjectMeta: metav1.ObjectMeta{Name: "once"},
		Spec:       batchv1.JobSpec{Template: corev1.PodTemplateSpec{Spec: template.Spec}},
	}
	if _, err := env.client.BatchV1().Jobs(namespace).Create(t.Context(), job, metav1.CreateOptions{}); err != nil {
		t.Fatal(err)
	}
	eventually(t, "the Job to be complete", func() bool {
		job, err := env.client.BatchV1().Jobs(namespace).Get(t.Context(), "once", metav1.GetOptions{})
		return err == nil && job.Status.Succeeded == 1 && job.Status.CompletionTime != nil
	})
	pods, err := env.client.CoreV1().Pods(namespace).List(t.Context(), metav1.ListOptions{})
	if err != nil || len(pods.Items) != 1 {
		t.Fatalf("got %v, %v", pods, err)
	}
	if got := env.kubelet.Logs(namespace, pods.Items[0].Name); got != "done\n" || pods.Items[0].Spec.NodeName != DefaultNodeName {
		t.Errorf("on %s it printed %q", pods.Items[0].Spec.NodeName, got)
	}
	background := metav1.DeletePropagationBackground
	if err := env.client.BatchV1().Jobs(namespace).Delete(t.Context(), "once", metav1.DeleteOptions{PropagationPolicy: &background}); err != nil {
		t.Fatal(err)
	}
	waitGone(t, namespace, pods.Items[0].Name)
}

func waitForEvent(t *testing.T, namespace, pod, reason, text string) {
	t.Helper()
	selector := fields.Set{"involvedObject.name": pod, "reason": reason}.String()
	eventually(t, "an event with "+text, func() bool {
		events, err := env.client.CoreV1().Events(namespace).List(t.Context(), metav1.ListOptions{FieldSelector: selector})
		if err != nil {
			return false
		}
		for _, event := range events.Items {
			if strings.Contains(event.Message, text) {
				return true
			}
		}
		return false
	})
}

func waitGone(t *testing.T, namespace, name string) {
	t.Helper()
	eventually(t, "pod "+name+" to be gone", func() bool {
		_, err := env.client.CoreV1().Pods(namespace).Get(t.Context(), name, metav1.GetOptions{})
		return apierrors.IsNotFound(err)
	})
}
