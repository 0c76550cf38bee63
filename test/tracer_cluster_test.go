package test

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"strings"
	"testing"
	"time"

	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/dynamic"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/tools/clientcmd"
	"sigs.k8s.io/yaml"
)

// TestTracer runs sk-tracer and skctl export against one cluster. Each case has its own namespace
// and tracer.
func TestTracer(t *testing.T) {
	t.Parallel()
	c := startCluster(t)
	for name, test := range map[string]func(*testing.T, *tracedCluster){
		"newcomer":            testTracerNewcomer,
		"redaction":           testTracerRedaction,
		"reload":              testTracerReload,
		"restart":             testTracerRestart,
		"in use":              testTracerInUse,
		"tokens":              testTracerTokens,
		"unreachable cluster": testTracerUnreachable,
		"buckets":             testTracerBuckets,
		"transform":           testTracerTransform,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			test(t, c)
		})
	}
}

// tracedCluster is a cluster run by `skctl cluster up`.
type tracedCluster struct {
	kubeconfig string
	client     kubernetes.Interface
	dynamic    dynamic.Interface
}

func startCluster(t *testing.T) *tracedCluster {
	t.Helper()
	s := newSandbox(t)
	t.Cleanup(func() {
		cmd := exec.Command(binary(t, "skctl"), "cluster", "down")
		cmd.Env = s.env
		if out, err := cmd.CombinedOutput(); err != nil {
			t.Errorf("%v: %s", err, out)
		}
	})
	s.skctl("cluster", "up", "--nodes", "2", "--node-shape", "cpu=4,memory=8Gi,pods=50").check(t, done)
	path := s.skctl("cluster", "kubeconfig", "--path")
	path.check(t, done)
	c := &tracedCluster{kubeconfig: strings.TrimSpace(path.stdout)}
	config, err := clientcmd.BuildConfigFromFlags("", c.kubeconfig)
	must(t, err)
	config.QPS = -1
	c.client, err = kubernetes.NewForConfig(config)
	must(t, err)
	c.dynamic, err = dynamic.NewForConfig(config)
	must(t, err)
	return c
}

// apply applies manifests separated by ---, like kubectl apply. The namespace is for namespaced
// objects that have none.
func (c *tracedCluster) apply(t *testing.T, namespace, manifests string) {
	t.Helper()
	for manifest := range strings.SplitSeq(manifests, "---\n") {
		u := new(unstructured.Unstructured)
		must(t, yaml.Unmarshal([]byte(manifest), &u.Object))
		u.SetNamespace(namespace)
		_, err := c.of(u.GroupVersionKind(), namespace).Apply(t.Context(), u.GetName(), u, metav1.ApplyOptions{FieldManager: "test", Force: true})
		must(t, err)
	}
}

func (c *tracedCluster) of(gvk schema.GroupVersionKind, namespace string) dynamic.ResourceInterface {
	resource, _ := meta.UnsafeGuessKindToResource(gvk)
	if namespace == "" {
		return c.dynamic.Resource(resource)
	}
	return c.dynamic.Resource(resource).Namespace(namespace)
}

func (c *tracedCluster) namespace(t *testing.T, name string) {
	t.Helper()
	c.apply(t, "", "{apiVersion: v1, kind: Namespace, metadata: {name: "+name+"}}")
}

// configMap applies a ConfigMap with one value.
func (c *tracedCluster) configMap(t *testing.T, namespace, name, value string) {
	t.Helper()
	c.apply(t, namespace, "{apiVersion: v1, kind: ConfigMap, metadata: {name: "+name+"}, data: {value: '"+value+"'}}")
}

func (c *tracedCluster) removeConfigMap(t *testing.T, namespace, name string) {
	t.Helper()
	must(t, c.client.CoreV1().ConfigMaps(namespace).Delete(t.Context(), name, metav1.DeleteOptions{}))
}

// workload is a Deployment of two pods and a Job of one.
const workload = `
apiVersion: apps/v1
kind: Deployment
metadata: {name: web}
spec:
  replicas: 2
  selector: {matchLabels: {app: web}}
  template:
    metadata: {labels: {app: web}}
    spec:
      nodeSelector: {type: virtual}
      tolerations: [{key: kwok-provider, operator: Exists, effect: NoSchedule}]
      containers: [{name: web, image: "example.com/web:1", env: [{name: PASSWORD, value: of-the-web}]}]
---
apiVersion: batch/v1
kind: Job
metadata: {name: report}
spec:
  template:
    metadata: {labels: {app: report}}
    spec:
      restartPolicy: Never
      nodeSelector: {type: virtual}
      tolerations: [{key: kwok-provider, operator: Exists, effect: NoSchedule}]
      containers: [{name: report, image: "example.com/report:1", env: [{name: PASSWORD, value: of-the-report}]}]
`

// runWorkload applies the workload and makes the Job's pod end after some seconds. The Job's
// template does not say so: a simulation only knows it from the recorded lifecycle.
func (c *tracedCluster) runWorkload(t *testing.T, namespace string) {
	t.Helper()
	c.apply(t, namespace, workload)
	pods := c.client.CoreV1().Pods(namespace)
	var report string
	eventually(t, "three pods run", func(ctx context.Context) string {
		list, err := pods.List(ctx, metav1.ListOptions{})
		if err != nil {
			return err.Error()
		}
		running := map[string]int{}
		for _, pod := range list.Items {
			if pod.Status.Phase != "Running" {
				continue
			}
			app := pod.Labels["app"]
			if running[app]++; app == "report" {
				report = pod.Name
			}
		}
		if running["web"] >= 2 && running["report"] == 1 {
			return ""
		}
		return fmt.Sprintf("running are %v", running)
	})
	nextSecond()
	nextSecond()
	_, err := pods.Patch(t.Context(), report, types.MergePatchType, []byte(`{"metadata":{"labels":{"simkube.io/kwok-stage-complete":"true"}}}`), metav1.PatchOptions{})
	must(t, err)
	eventually(t, "the Job is complete", func(ctx context.Context) string {
		job, err := c.client.BatchV1().Jobs(namespace).Get(ctx, "report", metav1.GetOptions{})
		if err != nil {
			return err.Error()
		}
		if job.Status.Succeeded == 1 {
			return ""
		}
		return "it has not succeeded"
	})
}

// waitTime is how long a test waits for something that must happen.
const waitTime = time.Minute

// eventually waits until check returns no error text.
func eventually(t *testing.T, what string, check func(context.Context) string) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), waitTime)
	defer cancel()
	for {
		problem := check(ctx)
		if problem == "" {
			return
		}
		select {
		case <-ctx.Done():
			t.Fatalf("%s: still not so: %s", what, problem)
		case <-time.After(50 * time.Millisecond):
		}
	}
}

// nextSecond waits for the next second, because times in traces are in seconds.
func nextSecond() {
	time.Sleep(time.Until(time.Now().Truncate(time.Second).Add(time.Second)))
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// writeFile replaces a file atomically.
func writeFile(t *testing.T, path, text string) {
	t.Helper()
	must(t, os.WriteFile(path+".new", []byte(text), 0o600))
	must(t, os.Rename(path+".new", path))
}
