package v1

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/util/json"
)

func TestLabelValue(t *testing.T) {
	for name, tc := range map[string]struct{ in, want string }{
		"short":   {"prod", "prod"},
		"just 63": {strings.Repeat("a", 63), strings.Repeat("a", 63)},
		"64":      {strings.Repeat("a", 64), strings.Repeat("a", 59) + "XXXX"},
	} {
		t.Run(name, func(t *testing.T) {
			if got := LabelValue(tc.in); got != tc.want {
				t.Errorf("LabelValue(%q) = %q, want %q", tc.in, got, tc.want)
			}
		})
	}
}

func TestNames(t *testing.T) {
	got := []string{
		MetarootName("S"), DriverName("S"), DriverServiceName("S"), PrometheusName("S"),
		MutatingWebhookName("S"), DriverRootName("sk-S-driver-abcde"), VirtualNamespace("virtual", "prod"),
	}
	want := []string{
		"sk-S-metaroot", "sk-S-driver", "sk-S-driver-svc", "sk-S-prom",
		"sk-S-mutatepods", "sk-S-driver-abcde-root", "virtual-prod",
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("names differ (-want +got):\n%s", diff)
	}
}

func TestSimulation_RoundTrip(t *testing.T) {
	manifest := `{"kind":"Simulation","apiVersion":"simkube.io/v1","metadata":{"name":"s"},` +
		`"spec":{"driver":{"image":"i","namespace":"simkube","port":8888,"tracePath":"file:///data/trace",` +
		`"virtualNsPrefix":"virtual"},"speed":2.5,"metrics":{"remoteWriteConfigs":[{"url":"http://x/y","a":[1]}]}}}`
	var sim Simulation
	if err := json.Unmarshal([]byte(manifest), &sim); err != nil {
		t.Fatal(err)
	}
	out, err := json.Marshal(sim.DeepCopy())
	if err != nil {
		t.Fatal(err)
	}
	var want, got any
	if err := json.Unmarshal([]byte(manifest), &want); err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(out, &got); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("manifest changed on the way through (-want +got):\n%s", diff)
	}
}

func TestAddToScheme(t *testing.T) {
	scheme := runtime.NewScheme()
	if err := AddToScheme(scheme); err != nil {
		t.Fatal(err)
	}
	for _, kind := range []string{"Simulation", "SimulationList", "SimulationRoot", "SimulationRootList"} {
		if !scheme.Recognizes(GroupVersion.WithKind(kind)) {
			t.Errorf("scheme does not know %s", kind)
		}
	}
}
