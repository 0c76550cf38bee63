package controlplane

import (
	"bufio"
	"context"
	"errors"
	"io"
	"net"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/util/wait"
	"k8s.io/client-go/dynamic"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/clientcmd"

	"simkube.io/simkube/cluster/internal/virtualtime"
	"simkube.io/simkube/internal/scratch"
)

func clientset(t *testing.T) kubernetes.Interface {
	t.Helper()
	c, err := kubernetes.NewForConfig(shared.RESTConfig())
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func TestStart_OncePerProcess(t *testing.T) {
	if _, err := Start(t.Context(), Options{}); !errors.Is(err, ErrAlreadyStarted) {
		t.Errorf("second Start: got %v, want %v", err, ErrAlreadyStarted)
	}
}

func TestStart_KubeconfigWorks(t *testing.T) {
	config, err := clientcmd.BuildConfigFromFlags("", shared.Kubeconfig())
	if err != nil {
		t.Fatal(err)
	}
	c, err := kubernetes.NewForConfig(config)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := c.CoreV1().Namespaces().Get(t.Context(), "default", metav1.GetOptions{}); err != nil {
		t.Errorf("get namespace default: %v", err)
	}
}

func TestStart_StrangersAreRefused(t *testing.T) {
	throughKubeconfig, err := clientcmd.BuildConfigFromFlags("", shared.Kubeconfig())
	if err != nil {
		t.Fatal(err)
	}
	for name, config := range map[string]*rest.Config{"in the process": shared.RESTConfig(), "through the kubeconfig": throughKubeconfig} {
		for _, token := range []string{"", "guess"} {
			config.BearerToken = token
			c, err := kubernetes.NewForConfig(config)
			if err != nil {
				t.Fatal(err)
			}
			if _, err := c.CoreV1().Secrets("").List(t.Context(), metav1.ListOptions{}); !apierrors.IsUnauthorized(err) {
				t.Errorf("%s, list with the token %q: got %v, want unauthorized", name, token, err)
			}
		}
	}
}

// TestStart_ListensOnLoopbackOnly reads the kernel's list of this process's listeners. In virtual
// time there are none.
func TestStart_ListensOnLoopbackOnly(t *testing.T) {
	server, err := url.Parse(shared.Server())
	if err != nil {
		t.Fatal(err)
	}
	if ip := net.ParseIP(server.Hostname()); !ip.IsLoopback() {
		t.Errorf("the API server's address: got %s, want a loopback address", server.Host)
	}
	for _, file := range []string{"/proc/self/net/tcp", "/proc/self/net/tcp6"} {
		for _, addr := range ownListeners(t, file) {
			if virtualtime.Enabled || !strings.HasSuffix(addr, "0100007F") {
				t.Errorf("%s: listens on %s", file, addr)
			}
		}
	}
}

// ownListeners returns the local addresses, as the kernel writes them, of this process's listening
// sockets.
func ownListeners(t *testing.T, file string) []string {
	t.Helper()
	mine := map[string]bool{}
	fds, err := os.ReadDir("/proc/self/fd")
	if err != nil {
		t.Skipf("no /proc here: %v", err)
	}
	for _, fd := range fds {
		if link, err := os.Readlink("/proc/self/fd/" + fd.Name()); err == nil {
			if inode, ok := strings.CutPrefix(link, "socket:["); ok {
				mine[strings.TrimSuffix(inode, "]")] = true
			}
		}
	}
	data, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	const listen, stateField, inodeField = "0A", 3, 9
	var out []string
	for line := range strings.Lines(string(data)) {
		f := strings.Fields(line)
		if len(f) > inodeField && f[stateField] == listen && mine[f[inodeField]] {
			addr, _, _ := strings.Cut(f[1], ":")
			out = append(out, addr)
		}
	}
	return out
}

func TestOptions_CRDsAreServed(t *testing.T) {
	c, err := dynamic.NewForConfig(shared.RESTConfig())
	if err != nil {
		t.Fatal(err)
	}
	for _, gvr := range []schema.GroupVersionResource{
		{Group: "example.com", Version: "v1", Resource: "widgets"},
		{Group: "example.com", Version: "v1", Resource: "books"}, // the component's
		{Group: "simkube.io", Version: "v1", Resource: "simulationroots"},
	} {
		if _, err := c.Resource(gvr).List(t.Context(), metav1.ListOptions{}); err != nil {
			t.Errorf("list %s: %v", gvr.Resource, err)
		}
	}
	root := &unstructured.Unstructured{Object: map[string]any{
		"apiVersion": "simkube.io/v1", "kind": "SimulationRoot", "metadata": map[string]any{"name": "root"}, "spec": map[string]any{},
	}}
	roots := c.Resource(schema.GroupVersionResource{Group: "simkube.io", Version: "v1", Resource: "simulationroots"})
	if _, err := roots.Create(t.Context(), root, metav1.CreateOptions{}); err != nil {
		t.Fatalf("create a SimulationRoot: %v", err)
	}
	if err := roots.Delete(t.Context(), "root", metav1.DeleteOptions{}); err != nil {
		t.Fatal(err)
	}
}

func TestOptions_MutatePod(t *testing.T) {
	pods := clientset(t).CoreV1().Pods("default")
	create := func(name string) (*corev1.Pod, error) {
		pod := &corev1.Pod{
			ObjectMeta: metav1.ObjectMeta{Name: name},
			Spec:       corev1.PodSpec{Containers: []corev1.Container{{Name: "c", Image: "i"}}},
		}
		pod, err := pods.Create(t.Context(), pod, metav1.CreateOptions{})
		if err == nil {
			t.Cleanup(func() {
				_ = pods.Delete(context.WithoutCancel(t.Context()), name, metav1.DeleteOptions{})
			})
		}
		return pod, err
	}
	pod, err := create("mutate-me")
	if err != nil {
		t.Fatal(err)
	}
	if got := pod.Labels["seen-in"]; got != "default" {
		t.Errorf("label of the mutated pod: got %q, want %q", got, "default")
	}
	if got := pod.Spec.NodeSelector["type"]; got != "virtual" {
		t.Errorf("node selector of the mutated pod: got %q, want %q", got, "virtual")
	}
	if pod, err = create("leave-me"); err != nil {
		t.Fatal(err)
	}
	if len(pod.Labels) > 0 || len(pod.Spec.NodeSelector) > 0 {
		t.Errorf("the other pod was changed: labels %v, node selector %v", pod.Labels, pod.Spec.NodeSelector)
	}
	if _, err := create("reject-me"); !apierrors.IsForbidden(err) || !strings.Contains(err.Error(), "not this one: default/reject-me") {
		t.Errorf("rejected pod: got %v, want forbidden with the reason", err)
	}
}

// TestSimulatedPodRuns needs a node, the scheduler and KWOK to work together.
func TestSimulatedPodRuns(t *testing.T) {
	c := clientset(t)
	node := &corev1.Node{
		ObjectMeta: metav1.ObjectMeta{Name: "node", Annotations: map[string]string{"kwok.x-k8s.io/node": "fake"}},
		Status: corev1.NodeStatus{Allocatable: corev1.ResourceList{
			corev1.ResourceCPU: resourceQuantity("4"), corev1.ResourceMemory: resourceQuantity("8Gi"), corev1.ResourcePods: resourceQuantity("10"),
		}},
	}
	node.Status.Capacity = node.Status.Allocatable
	if _, err := c.CoreV1().Nodes().Create(t.Context(), node, metav1.CreateOptions{}); err != nil {
		t.Fatal(err)
	}
	pod := &corev1.Pod{
		ObjectMeta: metav1.ObjectMeta{Name: "runs"},
		Spec:       corev1.PodSpec{Containers: []corev1.Container{{Name: "c", Image: "i"}}},
	}
	if _, err := c.CoreV1().Pods("default").Create(t.Context(), pod, metav1.CreateOptions{}); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
	defer cancel()
	var last *corev1.Pod
	err := wait.PollUntilContextCancel(ctx, 50*time.Millisecond, true, func(ctx context.Context) (bool, error) {
		var err error
		last, err = c.CoreV1().Pods("default").Get(ctx, "runs", metav1.GetOptions{})
		return err == nil && last.Status.Phase == corev1.PodRunning, err
	})
	if err != nil {
		t.Fatalf("wait for the pod to run: %v; it is %s: %v", err, last.Status.Phase, last.Status.Conditions)
	}
	if err := c.CoreV1().Pods("default").Delete(t.Context(), "runs", metav1.DeleteOptions{}); err != nil {
		t.Fatal(err)
	}
	err = wait.PollUntilContextCancel(ctx, 50*time.Millisecond, true, func(ctx context.Context) (bool, error) {
		_, err := c.CoreV1().Pods("default").Get(ctx, "runs", metav1.GetOptions{})
		return apierrors.IsNotFound(err), nil
	})
	if err != nil {
		t.Errorf("wait for the pod to go: %v", err)
	}
}

// startChild starts this test binary as a child process, and returns it with the pipe that it
// reports to.
func startChild(t *testing.T, what string) (*exec.Cmd, *os.File) {
	t.Helper()
	report, end, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { report.Close() })
	defer end.Close()
	report.Fd() // makes reads block, so that virtual time stands still meanwhile
	cmd := exec.CommandContext(t.Context(), os.Args[0], "-test.run=^$")
	cmd.Env = append(os.Environ(), childEnv+"="+what)
	cmd.ExtraFiles = []*os.File{end}
	cmd.Stderr = os.Stderr
	stdin, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { stdin.Close() })
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	return cmd, report
}

func TestCrash_IsReportedAndEnds(t *testing.T) {
	for what, want := range map[string]string{
		"etcd": "done: etcd stopped: ",
		"kwok": "done: kwok stopped: it has not watched ",
	} {
		t.Run(what, func(t *testing.T) {
			cmd, report := startChild(t, what)
			out, err := io.ReadAll(report)
			if err = errors.Join(err, cmd.Wait()); err != nil {
				t.Fatalf("child: %v\n%s", err, out)
			}
			if !strings.HasPrefix(string(out), want) {
				t.Errorf("child reported %q, want it to begin with %q", out, want)
			}
			if want := "stop: <nil>\n"; !strings.HasSuffix(string(out), want) {
				t.Errorf("child reported %q, want it to end with %q", out, want)
			}
		})
	}
}

// TestKilled_NextStartSweeps kills a process that runs a control plane: the next start of another
// one removes the folder that it has left in memory.
func TestKilled_NextStartSweeps(t *testing.T) {
	cmd, report := startChild(t, "killed")
	dir, err := bufio.NewReader(report).ReadString('\n')
	dir = strings.TrimSpace(dir)
	if err != nil {
		t.Fatalf("read the child's data folder: %v", err)
	}
	if _, err := os.Stat(dir); err != nil {
		t.Fatalf("the child's data folder: %v", err)
	}
	scratch.Sweep(scratch.DataParent(), scratch.DataPrefix)
	if _, err := os.Stat(dir); err != nil {
		t.Fatalf("a folder in use was swept: %v", err)
	}
	if err := cmd.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	_ = cmd.Wait()
	scratch.Sweep(scratch.DataParent(), scratch.DataPrefix)
	// A control plane that starts at the same time may be sweeping too, and holds the lock then.
	if lock, err := os.Open(filepath.Join(dir, scratch.LockFile)); err == nil {
		defer lock.Close()
		if err := unix.Flock(int(lock.Fd()), unix.LOCK_EX); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := os.Stat(dir); !os.IsNotExist(err) {
		t.Errorf("the killed child's folder is still there: %v", err)
	}
}
