package app

import (
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/spf13/cobra"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/utils/ptr"
	"sigs.k8s.io/yaml"

	simkubev1 "simkube.io/simkube/api/v1"
	"simkube.io/simkube/config"
)

func runCommand(t *testing.T, args []string) (*cobra.Command, *runOptions) {
	t.Helper()
	opts := runOptions{kube: newKubeFlags()}
	cmd := &cobra.Command{}
	opts.addFlags(cmd, "v1.2.3+dirty")
	if err := cmd.ParseFlags(args); err != nil {
		t.Fatal(err)
	}
	return cmd, &opts
}

// Without flags, run creates the Simulation of the golden file.
func TestRun_Run_DryRun(t *testing.T) {
	code, stdout, stderr := run(t, "run", "friday", "--dry-run", "--kubeconfig", "none")
	want, err := os.ReadFile(filepath.Join("testdata", "run-defaults.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), stdout); diff != "" || code != exitDone || stderr != "" {
		t.Errorf("exit code %d, standard error %q, output (-want +got):\n%s", code, stderr, diff)
	}
}

// Each flag changes what is created without flags.
func TestRunOptions_Simulation(t *testing.T) {
	now := time.Date(2025, 3, 1, 12, 30, 0, 500, time.UTC)
	hooks := writeFile(t, "a.yml", "preStartHooks: [{cmd: first}]\n")
	more := writeFile(t, "b.yml", "preStartHooks: [{cmd: second}]\npostStopHooks: [{cmd: last, args: [a], ignoreFailure: true}]\n")
	type spec = simkubev1.SimulationSpec
	var remote simkubev1.RemoteWriteConfig
	remote.Raw = []byte(`{"url":"https://example.com/write?a=b\u0026c=d"}`)
	for name, tc := range map[string]struct {
		args []string
		want func(*simkubev1.Simulation, *spec)
	}{
		"nothing": {nil, func(*simkubev1.Simulation, *spec) {}},
		"replay": {
			[]string{"-D", "1d12h", "-s", "2.5", "-N", "3", "--reschedule-interrupted-bare-pods", "--start-paused"},
			func(_ *simkubev1.Simulation, s *spec) {
				s.Duration, s.Speed, s.Repetitions = ptr.To("1d12h"), ptr.To(2.5), ptr.To[int32](3)
				s.RescheduleInterruptedBarePods = ptr.To(true)
				s.PausedTime = ptr.To(metav1.NewTime(now.Truncate(time.Second)))
			},
		},
		"driver": {
			[]string{
				"-I", "reg/driver:1", "--driver-port", "9443", "-f", "s3://bucket/k", "--driver-namespace", "sims", "--driver-secrets", "a,b.c",
				"--driver-verbosity", "debug", "--virtual-ns-prefix", "v", "--fail-fast",
			},
			func(_ *simkubev1.Simulation, s *spec) {
				s.Driver = simkubev1.SimulationDriver{
					Image: "reg/driver:1", Namespace: "sims", Port: 9443, TracePath: "s3://bucket/k",
					Args: []string{"--verbosity", "debug", "--fail-fast"}, Secrets: []string{"a", "b.c"}, VirtualNsPrefix: "v",
				}
			},
		},
		"trace in the image": {
			[]string{"--trace-path", "/data/other", "--skip-local-volume-mount"},
			func(sim *simkubev1.Simulation, s *spec) {
				s.Driver.TracePath = "/data/other"
				sim.Annotations = map[string]string{"controller.simkube.io/skip-local-volume-mount": "true"}
			},
		},
		"signed URL": {
			[]string{"-f", "https://example.com/a.sktrace?signature=x"},
			func(_ *simkubev1.Simulation, s *spec) {
				s.Driver.TracePath = "https://example.com/a.sktrace?signature=x"
			},
		},
		"delays": {
			[]string{"--image-pull-delay", "1000", "--image-pull-jitter", "500", "--pod-startup-delay", "20", "--pod-startup-jitter", "3"},
			func(_ *simkubev1.Simulation, s *spec) {
				s.LifecycleParams = &simkubev1.LifecycleParams{ImagePullDelay: 1000, ImagePullJitter: 500, PodStartupDelay: 20, PodStartupJitter: 3}
			},
		},
		"no metrics": {
			[]string{"--disable-metrics", "--metrics-namespace", "m"},
			func(_ *simkubev1.Simulation, s *spec) { s.Metrics = nil },
		},
		"metrics": {
			[]string{
				"--metrics-namespace", "m", "--metrics-service-account", "acc", "--metrics-pod-monitor-namespaces", "p,q", "--metrics-pod-monitor-names", "r",
				"--metrics-service-monitor-namespaces", "s", "--metrics-service-monitor-names", "t,u", "--prometheus-shards", "4",
				"--remote-write-endpoint", "https://example.com/write?a=b&c=d",
			},
			func(_ *simkubev1.Simulation, s *spec) {
				s.Metrics = &simkubev1.SimulationMetrics{
					Namespace: ptr.To("m"), ServiceAccount: ptr.To("acc"), PrometheusShards: ptr.To[int32](4),
					PodMonitorNamespaces: []string{"p", "q"}, PodMonitorNames: []string{"r"},
					ServiceMonitorNamespaces: []string{"s"}, ServiceMonitorNames: []string{"t", "u"},
					RemoteWriteConfigs: []simkubev1.RemoteWriteConfig{remote},
				}
			},
		},
		"hooks": {
			[]string{"--hooks", hooks + string(filepath.ListSeparator) + more, "--hooks", hooks},
			func(_ *simkubev1.Simulation, s *spec) {
				s.Hooks = &simkubev1.SimulationHooks{
					PreStartHooks: []simkubev1.SimulationHook{{Cmd: "first"}, {Cmd: "second"}, {Cmd: "first"}},
					PostStopHooks: []simkubev1.SimulationHook{{Cmd: "last", Args: []string{"a"}, IgnoreFailure: true}},
				}
			},
		},
		"results in a bucket": {
			[]string{"--results", "gs://bucket/folder"},
			func(_ *simkubev1.Simulation, s *spec) {
				s.Results = &simkubev1.SimulationResults{URL: "gs://bucket/folder"}
			},
		},
		"results in a config map": {
			[]string{"--results", "configmap/c"},
			func(_ *simkubev1.Simulation, s *spec) { s.Results = &simkubev1.SimulationResults{ConfigMap: "c"} },
		},
		"results in a volume": {
			[]string{"--results", "pvc/c"},
			func(_ *simkubev1.Simulation, s *spec) {
				s.Results = &simkubev1.SimulationResults{PersistentVolumeClaim: "c"}
			},
		},
	} {
		t.Run(name, func(t *testing.T) {
			defaults, err := os.ReadFile(filepath.Join("testdata", "run-defaults.yaml"))
			if err != nil {
				t.Fatal(err)
			}
			var want simkubev1.Simulation
			if err := yaml.UnmarshalStrict(defaults, &want); err != nil {
				t.Fatal(err)
			}
			want.Spec.Driver.Image = "simkube/sk-driver:v1.2.3-dirty"
			tc.want(&want, &want.Spec)
			cmd, opts := runCommand(t, tc.args)
			got, err := opts.simulation(cmd, "friday", now)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(asYAML(t, &want), asYAML(t, got)); diff != "" {
				t.Errorf("simulation (-want +got):\n%s", diff)
			}
		})
	}
}

func asYAML(t *testing.T, sim *simkubev1.Simulation) string {
	t.Helper()
	object, err := asObject(sim)
	if err != nil {
		t.Fatal(err)
	}
	text, err := yaml.Marshal(object.Object)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

func TestRun_Run_WrongUsage(t *testing.T) {
	for name, tc := range map[string]struct {
		args []string
		want string
	}{
		"no name": {nil, "run: NAME is missing"},
		"many at once": {
			[]string{
				"A", "-s", "0", "-N", "0", "-D", "5", "--driver-port", "0", "--driver-namespace", "", "--virtual-ns-prefix", "-", "--driver-verbosity", "loud",
				"--driver-secrets", "a,_", "--image-pull-jitter", "-1", "--prometheus-shards", "0", "--remote-write-endpoint", "here", "--results", "out",
				"--dry-run", "--watch", "-I", "",
			},
			`invalid NAME "A": must be at most 49 lower-case letters, digits and dashes, and begin and end with a letter or digit
invalid --driver-image: must not be empty
invalid --driver-port 0: must be 1 to 65535
invalid --driver-namespace "": must be at most 63 lower-case letters, digits and dashes, and begin and end with a letter or digit
invalid --virtual-ns-prefix "-": must be at most 40 lower-case letters, digits and dashes, and begin and end with a letter or digit
invalid --driver-verbosity "loud": must be error, warn, info or debug
invalid --driver-secrets: "_": must be an object's name of lower-case letters, digits, dashes and dots
invalid --duration: not a duration: "5" has no unit after 5 (accepted: 90s, 5m, +5m, 1h30m, 2d, 250ms)
invalid --speed 0: must be more than 0
invalid --repetitions 0: must be at least 1
invalid --image-pull-jitter -1: must be 0 or more milliseconds
invalid --prometheus-shards 0: must be at least 1
invalid --remote-write-endpoint "here": must be a URL such as http://prometheus.example.com/api/v1/write
invalid --results: "out": must be a folder in a bucket (s3://bucket/folder, gs://..., azure://...), configmap/NAME or pvc/NAME
--dry-run and --watch: only one of them can be used`,
		},
		"a relative path": {
			[]string{"a", "-f", "data/trace"},
			`invalid --trace-path: "data/trace": must be an absolute path on the node, which is not this machine; ` +
				`copy a file of this machine to the node or to a bucket first`,
		},
		"an unknown storage": {[]string{"a", "-f", "S3://b/k"}, `invalid --trace-path: "S3://b/k": must begin with s3://`},
		"no hooks":           {[]string{"a", "--hooks", "none.yml"}, "invalid --hooks: read hooks: open none.yml: no such file or directory"},
		"no config map":      {[]string{"a", "--results", "configmap/"}, `invalid --results: "": must be an object's name of lower-case letters, digits, dashes and dots`},
		"a local folder":     {[]string{"a", "--results", "/tmp/x"}, `invalid --results: "/tmp/x": must be a folder in a bucket (s3://bucket/folder, gs://..., azure://...), configmap/NAME or pvc/NAME`},
	} {
		t.Run(name, func(t *testing.T) {
			code, stdout, stderr := run(t, append([]string{"run"}, tc.args...)...)
			want := "skctl: " + strings.ReplaceAll(tc.want, "\n", "\nskctl: ") + "\n  hint: see skctl run --help\n"
			if diff := cmp.Diff(want, stderr); diff != "" || code != exitUsage || stdout != "" {
				t.Errorf("exit code %d, standard output %q, standard error (-want +got):\n%s", code, stdout, diff)
			}
		})
	}
}

// The API server accepts the durations that are accepted here.
func TestCheckDuration_CRD(t *testing.T) {
	pattern := ""
	for _, crd := range config.CRDs() {
		if found := regexp.MustCompile(`self\.matches\('(\^\[\+\]\?\([^']*)'\)`).FindSubmatch(crd.Data); found != nil {
			pattern = string(found[1])
		}
	}
	if pattern == "" {
		t.Fatal("the pattern of spec.duration is not found")
	}
	accepts := regexp.MustCompile(pattern)
	for text, want := range map[string]bool{
		"90s": true, "+5m": true, "1h30m": true, "2d": true, "250ms": true, "1d2h3m4s5ms": true, "5": false, "1.5h": false, "-5m": false, "5m5h": false, "0s": false,
	} {
		err := checkDuration(text)
		if (err == nil) != want {
			t.Errorf("%s: %v", text, err)
		}
		if err == nil && !accepts.MatchString(text) {
			t.Errorf("%s is accepted here and not by the API server: %s", text, pattern)
		}
	}
}

// Metrics that the user did not ask for are left out if the cluster cannot collect them.
func TestRun_Run_Metrics(t *testing.T) {
	const leftOut = "no metrics are collected: the cluster does not have the Prometheus operator (use --disable-metrics to silence this)\n"
	resources := func(names ...string) http.HandlerFunc {
		list := metav1.APIResourceList{TypeMeta: metav1.TypeMeta{APIVersion: "v1", Kind: "APIResourceList"}, GroupVersion: prometheusGroup}
		for _, name := range names {
			list.APIResources = append(list.APIResources, metav1.APIResource{Name: name})
		}
		return func(w http.ResponseWriter, _ *http.Request) { answer(w, list) }
	}
	for name, tc := range map[string]struct {
		args    []string
		group   http.HandlerFunc
		want    bool
		message string
	}{
		"no operator":                    {nil, nil, false, leftOut},
		"another part of the operator":   {nil, resources("podmonitors"), false, leftOut},
		"operator":                       {nil, resources("podmonitors", "prometheuses"), true, ""},
		"no operator, but asked for":     {[]string{"--metrics-namespace", "monitoring"}, nil, true, ""},
		"no operator, and not asked for": {[]string{"--disable-metrics"}, nil, false, ""},
	} {
		t.Run(name, func(t *testing.T) {
			server := newAPIServer(t)
			if tc.group != nil {
				server.handle("GET /apis/"+prometheusGroup, tc.group)
			}
			server.handle("POST "+simulationsPath, func(w http.ResponseWriter, _ *http.Request) { answer(w, simulated(t, "friday", "")) })
			code, stdout, stderr := run(t, append([]string{"run", "friday", "--kubeconfig", server.kubeconfig}, tc.args...)...)
			if want := tc.message + "to follow its progress, run skctl wait friday\n"; code != exitDone || stderr != want {
				t.Errorf("exit code %d, standard error %q, want %q", code, stderr, want)
			}
			if want := "simulation.simkube.io/friday created\n"; stdout != want {
				t.Errorf("standard output is %q, want %q", stdout, want)
			}
			made := server.made("POST")
			if len(made) != 1 || strings.Contains(made[0], `"metrics":`) != tc.want {
				t.Errorf("requests are %q, with metrics is %v", made, tc.want)
			}
		})
	}
}
