package replaytest

import (
	"context"
	"strings"
	"testing"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/dynamic"
	"sigs.k8s.io/yaml"

	simkubev1 "simkube.io/simkube/api/v1"
)

// wholeSimulation has every field that manifests rely on.
const wholeSimulation = `
apiVersion: simkube.io/v1
kind: Simulation
metadata: {name: whole}
spec:
  driver:
    image: example.com/sk-driver:1
    namespace: simkube
    port: 8888
    tracePath: file:///data/trace
    args: [-v, info]
    secrets: [storage]
    certManagerIssuer: selfsigned
  duration: +5m
  repetitions: 2
  speed: 1
  pausedTime: 2026-03-10T00:00:00Z
  rescheduleInterruptedBarePods: true
  lifecycleParams: {imagePullDelay: 1, imagePullJitter: 2, podStartupDelay: 3, podStartupJitter: 4}
  metrics:
    namespace: monitoring
    serviceAccount: prometheus-k8s
    prometheusShards: 1
    podMonitorNames: [a]
    podMonitorNamespaces: [b]
    serviceMonitorNames: [c]
    serviceMonitorNamespaces: [d]
    remoteWriteConfigs: [{url: "http://example.com/write"}]
  hooks:
    preStartHooks: [{cmd: echo, args: [hello], ignoreFailure: true, sendSim: true}]
    preRunHooks: [{apply: {manifests: "kind: Node"}}]
    postRunHooks: [{waitForPods: {for: Gone}}]
    postStopHooks: [{deleteNodes: {selector: {matchLabels: {type: virtual}}}, timeoutSeconds: 5}]
  results: {url: "s3://bucket/results"}
`

// nullSimulation is a Simulation as programs in other languages write it: with null for every field
// that is not set.
const nullSimulation = `
apiVersion: simkube.io/v1
kind: Simulation
metadata: {name: nulls, creationTimestamp: null, labels: null, annotations: null}
spec:
  driver:
    image: example.com/sk-driver:1
    namespace: simkube
    port: 8888
    tracePath: file:///data/trace
    args: null
    secrets: null
    virtualNsPrefix: null
    certManagerIssuer: null
  duration: null
  repetitions: null
  speed: null
  pausedTime: null
  rescheduleInterruptedBarePods: null
  lifecycleParams: {imagePullDelay: null, imagePullJitter: null, podStartupDelay: null, podStartupJitter: null}
  metrics:
    namespace: null
    serviceAccount: null
    prometheusShards: null
    podMonitorNames: null
    podMonitorNamespaces: null
    serviceMonitorNames: null
    serviceMonitorNamespaces: null
    remoteWriteConfigs: null
  hooks:
    preStartHooks: [{cmd: echo, args: null, ignoreFailure: null, sendSim: null}]
    preRunHooks: null
    postRunHooks: null
    postStopHooks: null
  results: null
status: null
`

// TestSimulationSchema_Nulls checks that null means the same as no field, that a Simulation with
// nulls can be paused and resumed, and that its other fields still cannot be changed.
func TestSimulationSchema_Nulls(t *testing.T) {
	client, err := dynamic.NewForConfig(env.config)
	if err != nil {
		t.Fatal(err)
	}
	simulations := client.Resource(simkubev1.GroupVersion.WithResource("simulations"))
	object := &unstructured.Unstructured{}
	if err := yaml.Unmarshal([]byte(nullSimulation), &object.Object); err != nil {
		t.Fatal(err)
	}
	created, err := simulations.Create(t.Context(), object, metav1.CreateOptions{FieldValidation: metav1.FieldValidationStrict})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := simulations.Delete(context.WithoutCancel(t.Context()), "nulls", metav1.DeleteOptions{}); err != nil {
			t.Error(err)
		}
	})
	if prefix, _, _ := unstructured.NestedString(created.Object, "spec", "driver", "virtualNsPrefix"); prefix != simkubev1.DefaultVirtualNsPrefix {
		t.Errorf("the prefix is %q by default", prefix)
	}
	data, err := created.MarshalJSON()
	if err != nil {
		t.Fatal(err)
	}
	var sim simkubev1.Simulation
	if err := yaml.Unmarshal(data, &sim); err != nil {
		t.Fatal(err)
	}
	if sim.Spec.Duration != nil || sim.Spec.Repetitions != nil || sim.Spec.Results != nil || len(sim.Spec.Hooks.PreStartHooks) != 1 {
		t.Errorf("the simulation is %+v", sim.Spec)
	}
	for _, patch := range []string{
		`{"spec": {"pausedTime": "2026-03-10T00:00:00Z"}}`, `{"spec": {"pausedTime": null}}`, `{"metadata": {"finalizers": ["simkube.io/test"]}}`, `{"metadata": {"finalizers": null}}`,
	} {
		if _, err := simulations.Patch(t.Context(), "nulls", types.MergePatchType, []byte(patch), metav1.PatchOptions{}); err != nil {
			t.Errorf("%s: %v", patch, err)
		}
	}
	for _, patch := range []string{`{"spec": {"speed": 2}}`, `{"spec": {"duration": "5m"}}`, `{"spec": {"driver": {"args": ["a"]}}}`} {
		if _, err := simulations.Patch(t.Context(), "nulls", types.MergePatchType, []byte(patch), metav1.PatchOptions{}); err == nil || !strings.Contains(err.Error(), "cannot be changed") {
			t.Errorf("%s: got %v, want that it cannot be changed", patch, err)
		}
	}
}

// The API server accepts valid Simulations, sets the defaults, and explains what is wrong with
// others.
func TestSimulationSchema(t *testing.T) {
	client, err := dynamic.NewForConfig(env.config)
	if err != nil {
		t.Fatal(err)
	}
	simulations := client.Resource(simkubev1.GroupVersion.WithResource("simulations"))
	create := func(t *testing.T, change func(object map[string]any)) (*unstructured.Unstructured, error) {
		t.Helper()
		object := &unstructured.Unstructured{}
		if err := yaml.Unmarshal([]byte(wholeSimulation), &object.Object); err != nil {
			t.Fatal(err)
		}
		change(object.Object)
		return simulations.Create(t.Context(), object, metav1.CreateOptions{DryRun: []string{metav1.DryRunAll}, FieldValidation: metav1.FieldValidationStrict})
	}
	created, err := create(t, func(map[string]any) {})
	if err != nil {
		t.Fatalf("the whole simulation is refused: %v", err)
	}
	if prefix, _, _ := unstructured.NestedString(created.Object, "spec", "driver", "virtualNsPrefix"); prefix != simkubev1.DefaultVirtualNsPrefix {
		t.Errorf("the prefix is %q by default", prefix)
	}
	hook := func(fields map[string]any) func(map[string]any) {
		return set(map[string]any{"preRunHooks": []any{fields}}, "spec", "hooks")
	}
	for name, test := range map[string]struct {
		change func(map[string]any)
		want   string
	}{
		"no driver":            {remove("spec", "driver"), "spec.driver: Required value"},
		"no image":             {remove("spec", "driver", "image"), "spec.driver.image: Required value"},
		"no trace":             {remove("spec", "driver", "tracePath"), "spec.driver.tracePath: Required value"},
		"port":                 {set(int64(70000), "spec", "driver", "port"), "spec.driver.port"},
		"namespace":            {set("Sim Kube", "spec", "driver", "namespace"), "spec.driver.namespace"},
		"prefix":               {set("a_b", "spec", "driver", "virtualNsPrefix"), "spec.driver.virtualNsPrefix"},
		"relative trace":       {set("data/trace", "spec", "driver", "tracePath"), "tracePath must be an absolute path or a URL"},
		"scheme of the trace":  {set("ftp://x/y", "spec", "driver", "tracePath"), "tracePath must be an absolute path or a URL"},
		"duration":             {set("soon", "spec", "duration"), "spec.duration"},
		"parts of a duration":  {set("1.5h", "spec", "duration"), "duration must be whole numbers"},
		"order of a duration":  {set("30m1h", "spec", "duration"), "duration must be whole numbers"},
		"empty duration":       {set("+", "spec", "duration"), "duration must be whole numbers"},
		"args of an action":    {hook(map[string]any{"args": []any{"x"}, "apply": map[string]any{"manifests": "b"}}), "args are for cmd only"},
		"sendSim of an action": {hook(map[string]any{"sendSim": true, "apply": map[string]any{"manifests": "b"}}), "sendSim is for cmd only"},
		"repetitions":          {set(int64(0), "spec", "repetitions"), "spec.repetitions"},
		"speed":                {set(0.0, "spec", "speed"), "speed must be above 0"},
		"negative delay":       {set(int64(-1), "spec", "lifecycleParams", "imagePullDelay"), "imagePullDelay"},
		"long name":            {set(strings.Repeat("a", 50), "metadata", "name"), "must be a DNS label of at most 49"},
		"name with a dot":      {set("a.b", "metadata", "name"), "must be a DNS label of at most 49"},
		"empty hook":           {hook(map[string]any{}), "exactly one of cmd, apply, waitForPods and deleteNodes"},
		"two in a hook":        {hook(map[string]any{"cmd": "a", "apply": map[string]any{"manifests": "b"}}), "exactly one of cmd, apply, waitForPods and deleteNodes"},
		"all nodes":            {hook(map[string]any{"deleteNodes": map[string]any{"selector": map[string]any{}}}), "an empty selector would delete every node"},
		"unknown state":        {hook(map[string]any{"waitForPods": map[string]any{"for": "Lunch"}}), "Unsupported value"},
		"unknown field":        {set("x", "spec", "sped"), `unknown field "spec.sped"`},
		"two results":          {set(map[string]any{"configMap": "a", "url": "s3://b"}, "spec", "results"), "results needs exactly one of"},
		"results on a disk":    {set(map[string]any{"url": "/tmp"}, "spec", "results"), "results.url must be a folder in a bucket"},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := create(t, test.change)
			if err == nil || !strings.Contains(err.Error(), test.want) {
				t.Errorf("got %v, want %q", err, test.want)
			}
		})
	}
}

// A Simulation can be paused, but the fields that its records depend on cannot be changed.
func TestSimulationSchema_Change(t *testing.T) {
	client, err := dynamic.NewForConfig(env.config)
	if err != nil {
		t.Fatal(err)
	}
	simulations := client.Resource(simkubev1.GroupVersion.WithResource("simulations"))
	object := &unstructured.Unstructured{}
	if err := yaml.Unmarshal([]byte(wholeSimulation), &object.Object); err != nil {
		t.Fatal(err)
	}
	object.SetName("changed")
	if _, err := simulations.Create(t.Context(), object, metav1.CreateOptions{}); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := simulations.Delete(context.WithoutCancel(t.Context()), "changed", metav1.DeleteOptions{}); err != nil {
			t.Error(err)
		}
	})
	for patch, want := range map[string]string{
		`{"spec":{"pausedTime":null}}`:                            "",
		`{"spec":{"pausedTime":"2026-03-10T00:00:01Z"}}`:          "",
		`{"spec":{"driver":{"namespace":"elsewhere"}}}`:           "driver cannot be changed",
		`{"spec":{"driver":{"virtualNsPrefix":"other"}}}`:         "driver cannot be changed",
		`{"spec":{"hooks":null}}`:                                 "hooks cannot be changed",
		`{"spec":{"hooks":{"preStartHooks":[]}}}`:                 "hooks cannot be changed",
		`{"spec":{"duration":"1h"}}`:                              "duration cannot be changed",
		`{"spec":{"repetitions":3}}`:                              "repetitions cannot be changed",
		`{"spec":{"speed":null}}`:                                 "speed cannot be changed",
		`{"spec":{"results":{"url":null,"configMap":"kept"}}}`:    "results cannot be changed",
		`{"metadata":{"labels":{"team":"a"}},"spec":{"speed":1}}`: "",
	} {
		_, err := simulations.Patch(t.Context(), "changed", types.MergePatchType, []byte(patch), metav1.PatchOptions{DryRun: []string{metav1.DryRunAll}})
		switch {
		case want == "" && err != nil:
			t.Errorf("%s: %v", patch, err)
		case want != "" && (err == nil || !strings.Contains(err.Error(), want)):
			t.Errorf("%s: got %v, want %q", patch, err, want)
		}
	}
}

func set(value any, path ...string) func(map[string]any) {
	return func(object map[string]any) { _ = unstructured.SetNestedField(object, value, path...) }
}

func remove(path ...string) func(map[string]any) {
	return func(object map[string]any) { unstructured.RemoveNestedField(object, path...) }
}
