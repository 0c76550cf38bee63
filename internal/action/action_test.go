package action

import (
	"errors"
	"os"
	"slices"
	"strings"
	"testing"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	simkubev1 "simkube.io/simkube/api/v1"
)

// TestRunner_Run_NoCluster checks that an error has the name of the action and says that no cluster
// is configured.
func TestRunner_Run_NoCluster(t *testing.T) {
	virtual := metav1.LabelSelector{MatchLabels: map[string]string{"type": "virtual"}}
	for want, hook := range map[string]simkubev1.SimulationHook{
		"apply":       {Apply: &simkubev1.ApplyAction{Manifests: "{apiVersion: v1, kind: Namespace, metadata: {name: a}}"}},
		"waitForPods": {WaitForPods: &simkubev1.WaitForPodsAction{}},
		"deleteNodes": {DeleteNodes: &simkubev1.DeleteNodesAction{Selector: virtual}},
	} {
		var failed *Error
		_, err := newRunner().Run(t.Context(), hook, nil)
		if !errors.As(err, &failed) || failed.Name != want || failed.ExitCode != -1 || !errors.Is(err, ErrNoCluster) {
			t.Errorf("%s: got %v", want, err)
		}
	}
}

func TestParseManifests(t *testing.T) {
	const text = `
# a comment
---
{"apiVersion": "example.com/v1", "kind": "Widget", "metadata": {"name": "w", "managedFields": [{}]}}
---
apiVersion: v1
kind: List
items:
- {apiVersion: v1, kind: ConfigMap, metadata: {name: c, namespace: ns}}
- {apiVersion: v1, kind: Namespace, metadata: {name: ns}}
---
apiVersion: apiextensions.k8s.io/v1
kind: CustomResourceDefinition
metadata: {name: widgets.example.com}
`
	objects, err := parseManifests(text)
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, object := range objects {
		got = append(got, title(object))
		if object.GetManagedFields() != nil {
			t.Errorf("%s has managed fields", title(object))
		}
	}
	want := []string{"CustomResourceDefinition widgets.example.com", "Namespace ns", "Widget w", "ConfigMap ns/c"}
	if !slices.Equal(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
}

func TestParseManifests_Refuses(t *testing.T) {
	const good = "{apiVersion: v1, kind: Namespace, metadata: {name: a}}\n---\n"
	for text, want := range map[string]string{
		"":                    "apply.manifests is empty",
		"# nothing\n---\n":    "apply.manifests is empty",
		good + "a: b: c":      "document 2: ",
		good + "hello":        "document 2: ",
		good + "metadata: {}": "document 2: ",
		good + "kind: Pod":    "document 2: has no apiVersion",
		"{apiVersion: v1, kind: Pod, metadata: {generateName: a-}}": "the Pod has no metadata.name",
	} {
		if _, err := parseManifests(text); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: got %v, want %q", text, err, want)
		}
	}
}

func TestMissing(t *testing.T) {
	none, three := int32(0), int32(3)
	pending, running := pod(corev1.PodPending, false), pod(corev1.PodRunning, false)
	ready, failed, succeeded := pod(corev1.PodRunning, true), pod(corev1.PodFailed, false), pod(corev1.PodSucceeded, false)
	leaving := pod(corev1.PodRunning, true)
	leaving.DeletionTimestamp = &metav1.Time{}
	for _, test := range []struct {
		name   string
		action simkubev1.WaitForPodsAction
		pods   []corev1.Pod
		want   string // empty: nothing is missing
	}{
		{"ready by default", simkubev1.WaitForPodsAction{}, []corev1.Pod{ready, ready}, ""},
		{"none", simkubev1.WaitForPodsAction{}, nil, "wanted at least 1 pods, all Ready; there are none"},
		{"none wanted", simkubev1.WaitForPodsAction{Count: &none}, nil, ""},
		{"too few", simkubev1.WaitForPodsAction{Count: &three}, []corev1.Pod{ready, ready}, "wanted at least 3 pods, all Ready; there are 2 Ready"},
		{"more", simkubev1.WaitForPodsAction{Count: &three}, []corev1.Pod{ready, ready, ready, ready}, ""},
		{"all must be", simkubev1.WaitForPodsAction{}, []corev1.Pod{ready, running, pending, leaving}, "all Ready; there are 1 Pending, 1 Ready, 1 Running but not ready, 1 Terminating"},
		{"finished", simkubev1.WaitForPodsAction{For: simkubev1.PodsFinished}, []corev1.Pod{failed, succeeded}, ""},
		{"not finished", simkubev1.WaitForPodsAction{For: simkubev1.PodsFinished}, []corev1.Pod{failed, ready}, "all Finished; there are 1 Failed, 1 Ready"},
		{"gone", simkubev1.WaitForPodsAction{For: simkubev1.PodsGone, Count: &three}, nil, ""},
		{"not gone", simkubev1.WaitForPodsAction{For: simkubev1.PodsGone}, []corev1.Pod{leaving}, "wanted no pods; there are 1 Terminating"},
	} {
		t.Run(test.name, func(t *testing.T) {
			err := (waitForPods{&test.action}).missing(test.pods)
			if test.want == "" && err != nil || test.want != "" && (err == nil || !strings.Contains(err.Error(), test.want)) {
				t.Errorf("got %v, want %q", err, test.want)
			}
		})
	}
}

func pod(phase corev1.PodPhase, ready bool) corev1.Pod {
	status := corev1.ConditionFalse
	if ready {
		status = corev1.ConditionTrue
	}
	return corev1.Pod{Status: corev1.PodStatus{Phase: phase, Conditions: []corev1.PodCondition{{Type: corev1.PodReady, Status: status}}}}
}

// TestNames compares the actions with the rule by which the API server rejects a hook with none or
// several.
func TestNames(t *testing.T) {
	source, err := os.ReadFile("../../api/v1/hooks.go")
	if err != nil {
		t.Fatal(err)
	}
	if want := `message="a hook needs exactly one of ` + names() + `"`; !strings.Contains(string(source), want) {
		t.Errorf("the rules of SimulationHook do not have %s", want)
	}
	for _, f := range fields(simkubev1.SimulationHook{}) {
		if want := "has(self." + f.name + ")"; !strings.Contains(string(source), want) {
			t.Errorf("the rules of SimulationHook do not have %s", want)
		}
	}
}
