package test

import (
	"path/filepath"
	"testing"

	"github.com/google/go-cmp/cmp"

	simkubev1 "simkube.io/simkube/api/v1"
)

const widgets = `
apiVersion: apiextensions.k8s.io/v1
kind: CustomResourceDefinition
metadata: {name: widgets.example.com}
spec:
  group: example.com
  scope: Namespaced
  names: {kind: Widget, plural: widgets, singular: widget}
  versions: [{name: v1, served: true, storage: true, schema: {openAPIV3Schema: {type: object, x-kubernetes-preserve-unknown-fields: true}}}]
`

// testTracerReload changes the configuration, and the cluster's kinds, while the tracer is running.
func testTracerReload(t *testing.T, c *tracedCluster) {
	s := newSandbox(t)
	config := filepath.Join(s.dir, "config.yaml")
	const kinds = "trackedObjects:\n  v1.ConfigMap: {}\n  example.com/v1.Widget: {}\n"
	writeFile(t, config, kinds)
	tracer := s.startTracer(nil, config, "--kubeconfig", c.kubeconfig)
	tracer.ready() // although one kind is missing
	tracer.shows("/readyz?verbose", "[+]v1.ConfigMap ok", "[!]example.com/v1.Widget", "no such group and version", "\nok\n")
	if got := states(tracer.status()); got["example.com/v1.Widget"] != simkubev1.KindMissing {
		t.Errorf("states are %v, want Widget missing", got)
	}
	tracer.shows("/metrics", `simkube_tracer_kind_state{kind="example.com/v1.Widget",state="Missing"} 1`)

	writeFile(t, config, kinds+"  v1.Service: {trackLifecycles: true}\n")
	tracer.shows("/readyz?verbose", "[!]config", "trackLifecycles", "\nok\n")
	tracer.shows("/metrics", `simkube_tracer_config_reloads_total{result="invalid"} 1`)
	wants(t, "the status", tracer.status().Config, "trackedObjects[v1.Service].trackLifecycles: unknown field")
	c.namespace(t, "reload")
	c.configMap(t, "reload", "meanwhile", "1")

	writeFile(t, config, kinds+"  v1.Service: {}\n")
	page := tracer.shows("/readyz?verbose", "[+]v1.Service ok")
	lacks(t, "readyz", page, "[!]config")
	tracer.shows("/metrics", `simkube_tracer_config_reloads_total{result="success"} 1`)
	if got := tracer.status().Config; got != "" {
		t.Errorf("the status has a problem with the configuration: %s", got)
	}
	c.apply(t, "reload", "{apiVersion: v1, kind: Service, metadata: {name: front}, spec: {ports: [{port: 80}]}}")
	tracer.shows("/metrics", `simkube_tracer_events_total{kind="v1.Service",op="applied"}`)
	want := []string{"+ ConfigMap meanwhile 1", "+ Service front"}
	if diff := cmp.Diff(want, history(t, s.export(tracer, "reload"), "ConfigMap", "Service")); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}

	writeFile(t, config, "trackedObjects:\n  v1.Service: {}\n  example.com/v1.Widget: {}\n")
	tracer.shows("/metrics", `simkube_tracer_config_reloads_total{result="success"} 2`)
	c.apply(t, "", widgets)
	tracer.shows("/readyz?verbose", "[+]example.com/v1.Widget ok")
	if !tracer.status().Ready {
		t.Error("the status says that it is not ready")
	}
	c.configMap(t, "reload", "unwanted", "1")
	c.apply(t, "reload", "{apiVersion: example.com/v1, kind: Widget, metadata: {name: wheel}, spec: {size: 3}}")
	tracer.recorded("example.com/v1.Widget", "applied", 1)

	want = []string{"+ Service front", "+ Widget wheel"} // ConfigMaps are no longer tracked
	if diff := cmp.Diff(want, history(t, s.export(tracer, "reload"), "ConfigMap", "Service", "Widget")); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

func states(status simkubev1.TracerStatus) map[string]simkubev1.TracerKindState {
	out := map[string]simkubev1.TracerKindState{}
	for _, kind := range status.Kinds {
		out[kind.Kind] = kind.State
	}
	return out
}
