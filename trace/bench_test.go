package trace

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"testing"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
)

// benchSize is the approximate size in bytes of the trace that the benchmarks generate.
const benchSize = 1 << 30

// benchDeployment returns a manifest of typical size and shape, about 3 KB.
func benchDeployment(n int) *unstructured.Unstructured {
	name := fmt.Sprintf("service-%04d", n%2000)
	labels := map[string]any{
		"app.kubernetes.io/name":       name,
		"app.kubernetes.io/instance":   name + "-prod",
		"app.kubernetes.io/version":    fmt.Sprintf("v1.%d.%d", n%17, n%5),
		"app.kubernetes.io/managed-by": "Helm",
		"team":                         fmt.Sprintf("team-%02d", n%23),
	}
	var env []any
	for i := range 10 {
		env = append(env, map[string]any{"name": fmt.Sprintf("SETTING_%02d", i), "value": fmt.Sprintf("https://%s.example.internal:8443/v%d", name, i)})
	}
	env = append(env, map[string]any{"name": "POD_IP", "valueFrom": map[string]any{
		"fieldRef": map[string]any{"apiVersion": "v1", "fieldPath": "status.podIP"},
	}})
	probe := func(path string) map[string]any {
		return map[string]any{
			"failureThreshold": int64(3), "initialDelaySeconds": int64(n % 60), "periodSeconds": int64(10), "successThreshold": int64(1), "timeoutSeconds": int64(1),
			"httpGet": map[string]any{"path": path, "port": "http", "scheme": "HTTP"},
		}
	}
	container := func(name string) map[string]any {
		return map[string]any{
			"args": []any{"--listen=:8080", "--log-level=info", "--shard=" + strconv.Itoa(n)}, "env": env,
			"image": "registry.example.internal/platform/" + name + ":v1.2." + strconv.Itoa(n%9), "imagePullPolicy": "IfNotPresent",
			"livenessProbe": probe("/healthz"), "readinessProbe": probe("/readyz"), "name": name,
			"ports": []any{map[string]any{"containerPort": int64(8080), "name": "http", "protocol": "TCP"}},
			"resources": map[string]any{
				"limits":   map[string]any{"cpu": "2", "memory": "2Gi"},
				"requests": map[string]any{"cpu": "250m", "memory": "512Mi"},
			},
			"securityContext":        map[string]any{"allowPrivilegeEscalation": false, "runAsNonRoot": true, "runAsUser": int64(65532)},
			"terminationMessagePath": "/dev/termination-log", "terminationMessagePolicy": "File",
			"volumeMounts": []any{map[string]any{"mountPath": "/etc/config", "name": "config", "readOnly": true}},
		}
	}
	template := map[string]any{
		"metadata": map[string]any{"creationTimestamp": nil, "labels": labels},
		"spec": map[string]any{
			"containers": []any{container("server"), container("proxy")}, "dnsPolicy": "ClusterFirst", "restartPolicy": "Always",
			"schedulerName": "default-scheduler", "serviceAccountName": name, "terminationGracePeriodSeconds": int64(30),
			"volumes": []any{map[string]any{"configMap": map[string]any{"defaultMode": int64(420), "name": name}, "name": "config"}},
		},
	}
	return &unstructured.Unstructured{Object: map[string]any{
		"apiVersion": "apps/v1", "kind": "Deployment",
		"metadata": map[string]any{"labels": labels, "name": name, "namespace": fmt.Sprintf("team-%02d", n%23)},
		"spec": map[string]any{
			"progressDeadlineSeconds": int64(600), "replicas": int64(n % 40), "revisionHistoryLimit": int64(10),
			"selector": map[string]any{"matchLabels": labels}, "template": template,
		},
	}}
}

// benchTrace writes the trace for the benchmarks, about benchSize bytes, and returns its path and
// size.
func benchTrace(b *testing.B) (path string, size int64) {
	b.Helper()
	const variants, perEvent = 1000, 4
	var objs []Object
	total := 0
	for n := range variants {
		obj, err := NewObject(benchDeployment(n))
		if err != nil {
			b.Fatal(err)
		}
		objs = append(objs, obj)
		total += len(obj.Raw())
	}
	deployment := schema.GroupVersionKind{Group: "apps", Version: "v1", Kind: "Deployment"}
	config := &Config{TrackedObjects: map[schema.GroupVersionKind]TrackedObject{deployment: {}}}
	events := benchSize / (total / variants) / perEvent
	path = filepath.Join(b.TempDir(), "bench.sktrace")
	w, err := Create(path, config, WriterOptions{Events: events})
	if err != nil {
		b.Fatal(err)
	}
	defer w.Close()
	index := Index{}
	for i := range events {
		at := i * perEvent % (variants - perEvent)
		e := Event{Time: 1_700_000_000 + int64(i), Applied: objs[at : at+perEvent]}
		if i < variants {
			index.Record(&e)
		}
		if err := w.WriteEvent(&e); err != nil {
			b.Fatal(err)
		}
	}
	if err := w.Finish(&Tail{Index: index}); err != nil {
		b.Fatal(err)
	}
	info, err := os.Stat(path)
	if err != nil {
		b.Fatal(err)
	}
	return path, info.Size()
}

// BenchmarkTrace processes one generated trace of 1 GiB in several ways, on one core. MB/cpu-s is
// the throughput of a machine that does nothing else.
//
//	go test -run '^$' -bench Trace ./trace
func BenchmarkTrace(b *testing.B) {
	path, size := benchTrace(b)
	walk := func(b *testing.B, each func(*Object)) {
		defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(1))
		b.SetBytes(size)
		b.ReportAllocs()
		before := cpuTime()
		for b.Loop() {
			if err := walkFile(path, each); err != nil {
				b.Fatal(err)
			}
		}
		if used := cpuTime() - before; used > 0 {
			b.ReportMetric(float64(size)*float64(b.N)/1e6/used.Seconds(), "MB/cpu-s")
		}
	}
	b.Run("Iterate", func(b *testing.B) {
		walk(b, func(*Object) {})
		b.ReportMetric(childPeak(b, path), "peak-MB")
	})
	b.Run("Hash", func(b *testing.B) {
		walk(b, func(obj *Object) { obj.Hash() })
	})
	b.Run("Decode", func(b *testing.B) {
		walk(b, func(obj *Object) {
			if _, err := obj.Unstructured(); err != nil {
				b.Fatal(err)
			}
		})
	})
	b.Run("Rewrite", func(b *testing.B) {
		defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(1))
		b.SetBytes(size)
		for b.Loop() {
			if err := rewrite(path, filepath.Join(b.TempDir(), "copy.sktrace")); err != nil {
				b.Fatal(err)
			}
		}
	})
}

// walkFile walks over a whole trace, including its tail, and calls each for every object.
func walkFile(path string, each func(*Object)) error {
	f, err := Open(path)
	if err != nil {
		return err
	}
	defer f.Close()
	for e, err := range f.Events() {
		if err != nil {
			return err
		}
		for i := range e.Applied {
			each(&e.Applied[i])
		}
	}
	_, err = f.Tail()
	return err
}

func rewrite(from, to string) error {
	f, err := Open(from)
	if err != nil {
		return err
	}
	defer f.Close()
	w, err := Create(to, f.Config(), WriterOptions{Events: f.Len()})
	if err != nil {
		return err
	}
	defer w.Close()
	for e, err := range f.Events() {
		if err != nil {
			return err
		}
		if err := w.WriteEvent(e); err != nil {
			return err
		}
	}
	tail, err := f.Tail()
	if err != nil {
		return err
	}
	return w.Finish(tail)
}

// walkVariable makes the test binary only walk over the named trace and print its peak memory.
const walkVariable = "SIMKUBE_TRACE_WALK"

func TestMain(m *testing.M) {
	if path := os.Getenv(walkVariable); path != "" {
		if err := walkFile(path, func(*Object) {}); err != nil {
			fmt.Println(err)
			os.Exit(1)
		}
		fmt.Println(peakKB())
		os.Exit(0)
	}
	os.Exit(m.Run())
}

// peakKB returns the peak memory of this process: as counted by the operating system (VmHWM) where
// that is available, otherwise by the Go runtime.
func peakKB() uint64 {
	status, _ := os.ReadFile("/proc/self/status")
	for line := range strings.Lines(string(status)) {
		if fields := strings.Fields(line); len(fields) > 1 && fields[0] == "VmHWM:" {
			if kb, err := strconv.ParseUint(fields[1], 10, 64); err == nil {
				return kb
			}
		}
	}
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return m.Sys / 1024
}

// childPeak walks over a trace in a separate process and returns the peak memory of that process in
// MB.
func childPeak(b *testing.B, path string) float64 {
	b.Helper()
	self, err := os.Executable()
	if err != nil {
		b.Fatal(err)
	}
	cmd := exec.CommandContext(b.Context(), self)
	cmd.Env = append(os.Environ(), walkVariable+"="+path)
	out, err := cmd.Output()
	if err != nil {
		b.Fatalf("walk in a process of its own: %v: %s", err, out)
	}
	kb, err := strconv.ParseFloat(strings.TrimSpace(string(out)), 64)
	if err != nil {
		b.Fatal(err)
	}
	return kb * 1024 / 1e6
}
