package objects

import (
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"sigs.k8s.io/yaml"

	simkubev1 "simkube.io/simkube/api/v1"
)

var update = flag.Bool("update", false, "update the golden files")

func simulation() *simkubev1.Simulation {
	sim := &simkubev1.Simulation{ObjectMeta: metav1.ObjectMeta{Name: "demo", UID: "sim-uid"}}
	sim.Spec.Driver = simkubev1.SimulationDriver{Image: "driver:v1", Namespace: "simkube", Port: 8888, TracePath: "file:///data/trace"}
	return sim
}

func full() *simkubev1.Simulation {
	sim := simulation()
	sim.Spec.Driver.VirtualNsPrefix = "dry"
	sim.Spec.Driver.Port = MetricsPort
	sim.Spec.Driver.TracePath = "s3://bucket/trace"
	sim.Spec.Driver.Args = []string{"--fail-fast", "-v", "debug"}
	sim.Spec.Driver.Secrets = []string{"aws", "more"}
	sim.Spec.Driver.CertManagerIssuer = new("letsencrypt")
	sim.Spec.Results = &simkubev1.SimulationResults{PersistentVolumeClaim: "results"}
	sim.Spec.Metrics = &simkubev1.SimulationMetrics{
		Namespace: new("metrics"), ServiceAccount: new("scraper"), PrometheusShards: new(int32(2)),
		PodMonitorNames: []string{"kwok"}, PodMonitorNamespaces: []string{"a", "b"}, ServiceMonitorNames: []string{"apiserver"},
		RemoteWriteConfigs: []simkubev1.RemoteWriteConfig{{RawExtension: runtime.RawExtension{Raw: []byte(`{"url":"http://x","unknownField":{"a":1}}`)}}},
	}
	return sim
}

// The objects are equal to those in the golden files.
func TestObjects_Golden(t *testing.T) {
	for name, sim := range map[string]*simkubev1.Simulation{"minimal": simulation(), "full": full()} {
		t.Run(name, func(t *testing.T) {
			root := Metaroot(sim)
			root.UID = "root-uid"
			all := []any{Metaroot(sim), Service(sim, root), CertificateSecret(sim, root, []byte("cert"), []byte("key"), []byte("ca"))}
			if sim.Spec.Driver.CertManagerIssuer != nil {
				all = append(all, Certificate(sim, root), Webhook(sim, nil))
			} else {
				all = append(all, Webhook(sim, []byte("ca")))
			}
			all = append(all, Job(sim, root, Driver{ControllerNamespace: "ctrl", ServiceAccount: "sk-driver"}))
			if sim.Spec.Metrics != nil {
				prometheus, err := Prometheus(sim, root)
				if err != nil {
					t.Fatal(err)
				}
				all = append(all, prometheus)
			}
			var text strings.Builder
			for _, object := range all {
				data, err := yaml.Marshal(object)
				if err != nil {
					t.Fatal(err)
				}
				text.WriteString("---\n" + string(data))
			}
			golden(t, name+".yaml", text.String())
		})
	}
}

func golden(t *testing.T, name, got string) {
	t.Helper()
	path := filepath.Join("testdata", name)
	if *update {
		if err := os.WriteFile(path, []byte(got), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatalf("%v; -update writes it", err)
	}
	if diff := cmp.Diff(string(want), got); diff != "" {
		t.Errorf("%s (-want +got):\n%s", path, diff)
	}
}

// The driver's objects must not get the labels by which simulated objects are cleaned up.
func TestObjects_NothingInherited(t *testing.T) {
	sim := full()
	root := Metaroot(sim)
	prometheus, err := Prometheus(sim, root)
	if err != nil {
		t.Fatal(err)
	}
	for name, labels := range map[string]map[string]string{
		"service":    Service(sim, root).Labels,
		"pods":       Job(sim, root, Driver{}).Spec.Template.Labels,
		"prometheus": prometheus.GetLabels(),
	} {
		for _, label := range []string{simkubev1.LabelSimulation, simkubev1.LabelVirtual} {
			if _, has := labels[label]; has {
				t.Errorf("%s has the label %s, which is inherited", name, label)
			}
		}
	}
}

func TestPrometheus_WrongRemoteWrite(t *testing.T) {
	sim := full()
	sim.Spec.Metrics.RemoteWriteConfigs[0].Raw = []byte(`"http://x"`)
	if _, err := Prometheus(sim, Metaroot(sim)); err == nil || !strings.Contains(err.Error(), "remoteWriteConfigs[0]") {
		t.Errorf("got %v", err)
	}
}

func TestTracePath(t *testing.T) {
	for _, tc := range []struct{ trace, want, err string }{
		{"file:///data/trace", "/data/trace", ""},
		{"file://localhost/data/../x", "/x", ""},
		{"/data//trace", "/data/trace", ""},
		{"file:///data/a%20b", "/data/a b", ""},
		{"s3://bucket/trace", "", ""},
		{"https://example.org/trace", "", ""},
		{"file://data/trace", "", "did you mean file:///data/trace?"},
		{"/", "", "must name a file"},
		{"file://", "", "must name a file"},
	} {
		got, err := TracePath(tc.trace)
		if got != tc.want || (err == nil) != (tc.err == "") || err != nil && !strings.Contains(err.Error(), tc.err) {
			t.Errorf("%s: got %q, %v; want %q, %q", tc.trace, got, err, tc.want, tc.err)
		}
	}
}

func TestJob_LocalTrace(t *testing.T) {
	for name, tc := range map[string]struct {
		trace, annotation string
		mounted           bool
	}{
		"local":   {"file:///data/trace", "", true},
		"path":    {"/data/trace", "false", true},
		"skipped": {"/data/trace", "true", false},
		"bucket":  {"gs://bucket/data/trace", "", false},
	} {
		t.Run(name, func(t *testing.T) {
			sim := simulation()
			sim.Spec.Driver.TracePath = tc.trace
			sim.Annotations = map[string]string{simkubev1.AnnotationSkipLocalVolumeMount: tc.annotation}
			mounted := false
			for _, mount := range Job(sim, Metaroot(sim), Driver{}).Spec.Template.Spec.Containers[0].VolumeMounts {
				mounted = mounted || mount.MountPath == "/data/trace" && mount.ReadOnly
			}
			if mounted != tc.mounted {
				t.Errorf("mounted: got %v, want %v", mounted, tc.mounted)
			}
		})
	}
}
