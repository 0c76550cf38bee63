package trace

import (
	"bytes"
	"errors"
	"testing"

	"github.com/google/go-cmp/cmp"
	"k8s.io/apimachinery/pkg/runtime/schema"
)

var (
	volcanoKind    = schema.GroupVersionKind{Group: "batch.volcano.sh", Version: "v1alpha1", Kind: "Job"}
	replicaSetKind = schema.GroupVersionKind{Group: "apps", Version: "v1", Kind: "ReplicaSet"}
)

var configFiles = []struct {
	name     string
	text     string
	want     map[schema.GroupVersionKind]TrackedObject
	warnings []string
	wantErr  string
}{
	{
		name: "everything",
		text: `
trackedObjects:
  apps/v1.Deployment: {}
  batch.volcano.sh/v1alpha1.Job:
    podSpecTemplatePaths: [/spec/tasks/*/template]
    trackLifecycle: true
  v1.Pod: {skipOwned: true, trackLifecycle: true}
  v1.ConfigMap:
`,
		want: map[schema.GroupVersionKind]TrackedObject{
			deploymentKind:                     {},
			volcanoKind:                        {PodSpecTemplatePaths: []string{"/spec/tasks/*/template"}, TrackLifecycle: true},
			podKind:                            {SkipOwned: true, TrackLifecycle: true},
			{Version: "v1", Kind: "ConfigMap"}: {},
		},
	},
	{
		name: "built-in paths repeated",
		text: `{trackedObjects: {apps/v1.Deployment: {podSpecTemplatePaths: [/spec/template]}, v1.Pod: {podSpecTemplatePaths: [""]}, apps/v1.ReplicaSet: {podSpecTemplatePaths: [/spec]}}}`,
		want: map[schema.GroupVersionKind]TrackedObject{
			deploymentKind: {PodSpecTemplatePaths: []string{"/spec/template"}},
			podKind:        {PodSpecTemplatePaths: []string{""}},
			replicaSetKind: {PodSpecTemplatePaths: []string{"/spec"}},
		},
	},
	{
		name:     "old spelling",
		text:     `{trackedObjects: {batch.volcano.sh/v1alpha1.Job: {podSpecTemplatePath: /a}}}`,
		want:     map[schema.GroupVersionKind]TrackedObject{volcanoKind: {PodSpecTemplatePaths: []string{"/a"}}},
		warnings: []string{"trackedObjects[batch.volcano.sh/v1alpha1.Job].podSpecTemplatePath is deprecated: use podSpecTemplatePaths, a list"},
	},
	{
		name:     "both spellings",
		text:     `{trackedObjects: {batch.volcano.sh/v1alpha1.Job: {podSpecTemplatePath: /a, podSpecTemplatePaths: [/b]}}}`,
		want:     map[schema.GroupVersionKind]TrackedObject{volcanoKind: {PodSpecTemplatePaths: []string{"/b"}}},
		warnings: []string{"trackedObjects[batch.volcano.sh/v1alpha1.Job].podSpecTemplatePath is deprecated, and ignored because podSpecTemplatePaths is set"},
	},
	{
		name:     "nothing tracked",
		text:     `trackedObjects: {}`,
		want:     map[schema.GroupVersionKind]TrackedObject{},
		warnings: []string{"trackedObjects is empty: nothing will be recorded"},
	},
	{
		name:    "empty",
		wantErr: "read the tracer config: want a map with the key trackedObjects, got nothing",
	},
	{
		name:    "missing",
		text:    `{}`,
		wantErr: "read the tracer config: trackedObjects is missing: nothing would be recorded",
	},
	{
		name: "several problems",
		text: `
trackedObject: {}
trackedObjects:
  Pod: {}
  v1.Pod: {trackLifecycles: true, skipOwned: "yes"}
  apps/v1.Deployment: {podSpecTemplatePaths: [/spec]}
  batch.volcano.sh/v1alpha1.Job: {trackLifecycle: true}
  example.com/v1.A: {podSpecTemplatePaths: [spec, /a~2, /b, /b, 3]}
  example.com/v1.B: {podSpecTemplatePaths: /spec}
  example.com/v1.C: 5
`,
		wantErr: `read the tracer config: trackedObject: unknown field: must be trackedObjects
trackedObjects[Pod]: kind "Pod": want group/version.Kind, or version.Kind for the core group
trackedObjects[apps/v1.Deployment]: podSpecTemplatePaths [/spec] contradict the built-in "/spec/template"; remove them
trackedObjects[batch.volcano.sh/v1alpha1.Job]: trackLifecycle requires podSpecTemplatePaths, which are optional only for known kinds
trackedObjects[example.com/v1.A].podSpecTemplatePaths: path "spec": want a JSON Pointer, which is empty or begins with a slash
trackedObjects[example.com/v1.A].podSpecTemplatePaths: path "/a~2": after a ~ want 0 or 1
trackedObjects[example.com/v1.A].podSpecTemplatePaths: duplicate "/b"
trackedObjects[example.com/v1.A].podSpecTemplatePaths: element 4: want a string, got a number
trackedObjects[example.com/v1.B].podSpecTemplatePaths: want a list, got a string
trackedObjects[example.com/v1.C]: want a map, got a number
trackedObjects[v1.Pod].skipOwned: want true or false, got a string
trackedObjects[v1.Pod].trackLifecycles: unknown field: must be podSpecTemplatePaths, skipOwned or trackLifecycle`,
	},
	{
		name:    "kind twice",
		text:    `{trackedObjects: {v1.Pod: {}, /v1.Pod: {}}}`,
		wantErr: "read the tracer config: trackedObjects[v1.Pod]: duplicate kind",
	},
	{
		name:    "contradiction of a Pod",
		text:    `{trackedObjects: {v1.Pod: {podSpecTemplatePaths: [/spec]}}}`,
		wantErr: `read the tracer config: trackedObjects[v1.Pod]: podSpecTemplatePaths [/spec] contradict the built-in ""; remove them`,
	},
	{
		name:    "not YAML",
		text:    "trackedObjects: [",
		wantErr: "read the tracer config: error converting YAML to JSON: yaml: line 1: did not find expected node content",
	},
}

func TestParseConfig(t *testing.T) {
	for _, test := range configFiles {
		t.Run(test.name, func(t *testing.T) {
			got, warnings, err := ParseConfig([]byte(test.text))
			if test.wantErr != "" {
				if err == nil || err.Error() != test.wantErr {
					t.Fatalf("got  %v\nwant %s", err, test.wantErr)
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(test.want, got.TrackedObjects); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
			if diff := cmp.Diff(test.warnings, warnings); diff != "" {
				t.Errorf("warnings (-want +got):\n%s", diff)
			}
		})
	}
}

func TestConfig_PodSpecTemplatePaths(t *testing.T) {
	config := &Config{TrackedObjects: map[schema.GroupVersionKind]TrackedObject{
		replicaSetKind: {PodSpecTemplatePaths: []string{"/spec"}},
		volcanoKind:    {PodSpecTemplatePaths: []string{"/a", "/b/*"}},
	}}
	batch := schema.GroupVersion{Group: "batch", Version: "v1"}
	for gvk, want := range map[schema.GroupVersionKind][]string{
		deploymentKind:                {"/spec/template"},
		replicaSetKind:                {"/spec/template"},
		batch.WithKind("Job"):         {"/spec/template"},
		batch.WithKind("CronJob"):     {"/spec/jobTemplate/spec/template"},
		podKind:                       {""},
		volcanoKind:                   {"/a", "/b/*"},
		widgetKind:                    nil,
		{Version: "v1", Kind: "Node"}: nil,
	} {
		if diff := cmp.Diff(want, config.PodSpecTemplatePaths(gvk)); diff != "" {
			t.Errorf("%s (-want +got):\n%s", FormatGVK(gvk), diff)
		}
		known := gvk != volcanoKind && gvk != widgetKind && gvk.Kind != "Node"
		if got := KnownKind(gvk); got != known {
			t.Errorf("KnownKind(%s): got %t, want %t", FormatGVK(gvk), got, known)
		}
	}
}

// TestRead_LenientConfig reads a trace with a config that is invalid as a configuration file.
func TestRead_LenientConfig(t *testing.T) {
	tr := mustRead(t, pack(traceFields.with("config", ordered{
		"unknown",
		[]byte{1},
		"trackedObjects",
		ordered{
			"v1.Pod", nil,
			"apps/v1.Deployment",
			ordered{"podSpecTemplatePaths", []any{"/elsewhere"}, "podSpecTemplatePath", "/old", "more", ordered{1, 2}},
			"example.com/v1alpha1.Widget",
			ordered{"podSpecTemplatePath", "/old", "trackLifecycle", nil, "podSpecTemplatePaths", nil, "skipOwned", false},
		},
	})))
	want := map[schema.GroupVersionKind]TrackedObject{
		podKind:        {},
		deploymentKind: {PodSpecTemplatePaths: []string{"/elsewhere"}},
		widgetKind:     {PodSpecTemplatePaths: []string{"/old"}},
	}
	if diff := cmp.Diff(want, tr.Config.TrackedObjects); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

func FuzzConfig(f *testing.F) {
	for _, test := range configFiles {
		f.Add([]byte(test.text))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		config, _, err := ParseConfig(data)
		if err != nil {
			return
		}
		tr := &Trace{Config: *config}
		var b bytes.Buffer
		if err := tr.Write(&b); err != nil {
			if !errors.Is(err, ErrValue) {
				t.Fatal(err)
			}
			return
		}
		got := mustRead(t, b.Bytes())
		if diff := cmp.Diff(tr, got, sameTrace()); diff != "" {
			t.Errorf("in a trace (-want +got):\n%s", diff)
		}
	})
}
