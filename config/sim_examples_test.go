package config_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"os"
	"regexp"
	"strings"
	"testing"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/util/yaml"
	strictyaml "sigs.k8s.io/yaml"

	simkubev1 "simkube.io/simkube/api/v1"
	"simkube.io/simkube/internal/hooks"
)

// The nodes are managed by KWOK, and simulated pods can be scheduled to them.
func TestSimExamples_Nodes(t *testing.T) {
	nodes := exampleNodes(t)
	if len(nodes) != 10 {
		t.Errorf("there are %d nodes, want 10", len(nodes))
	}
	for _, node := range nodes {
		checkSimulatedNode(t, node)
	}
}

func exampleNodes(t *testing.T) []*corev1.Node {
	t.Helper()
	data, err := os.ReadFile("sim/examples/nodes.yml")
	if err != nil {
		t.Fatal(err)
	}
	return readNodes(t, data)
}

func readNodes(t *testing.T, data []byte) []*corev1.Node {
	t.Helper()
	var nodes []*corev1.Node
	documents := yaml.NewDocumentDecoder(io.NopCloser(bytes.NewReader(data)))
	text := make([]byte, len(data))
	for {
		n, err := documents.Read(text)
		if errors.Is(err, io.EOF) {
			return nodes
		}
		if err != nil {
			t.Fatal(err)
		}
		object, err := decodeStrictly(t, text[:n])
		if err != nil {
			t.Fatalf("%v in:\n%s", err, text[:n])
		}
		nodes = append(nodes, object.(*corev1.Node))
	}
}

func checkSimulatedNode(t *testing.T, node *corev1.Node) {
	t.Helper()
	if node.Labels[simkubev1.LabelNodeType] != simkubev1.NodeTypeVirtual || node.Annotations[simkubev1.AnnotationKwokNode] != "fake" ||
		node.Labels[corev1.LabelHostname] != node.Name {
		t.Errorf("%s has the labels %v and annotations %v", node.Name, node.Labels, node.Annotations)
	}
	if len(node.Spec.Taints) != 1 || node.Spec.Taints[0] != (corev1.Taint{Key: simkubev1.TaintKwokProvider, Value: "true", Effect: corev1.TaintEffectNoSchedule}) {
		t.Errorf("%s has the taints %v", node.Name, node.Spec.Taints)
	}
	if node.Status.Allocatable.Cpu().IsZero() || node.Status.Allocatable.Pods().IsZero() {
		t.Errorf("%s has no size: %v", node.Name, node.Status.Allocatable)
	}
}

func TestSimExamples_Simulation(t *testing.T) {
	sim := exampleSimulation(t)
	if sim.APIVersion != simkubev1.GroupVersion.String() || sim.Kind != "Simulation" || sim.Name == "" ||
		sim.Spec.Driver.Image == "" || sim.Spec.Driver.Namespace != "simkube" || sim.Spec.Driver.TracePath == "" || sim.Spec.Driver.Port == 0 {
		t.Errorf("the example lacks something: %+v", sim)
	}
}

func exampleSimulation(t *testing.T) *simkubev1.Simulation {
	t.Helper()
	data, err := os.ReadFile("sim/examples/simulation.yml")
	if err != nil {
		t.Fatal(err)
	}
	sim := &simkubev1.Simulation{}
	if err := strictyaml.UnmarshalStrict(data, sim); err != nil {
		t.Fatal(err)
	}
	return sim
}

// The hooks are valid, and what is created before is removed after.
func TestSimExamples_Hooks(t *testing.T) {
	all, err := hooks.ReadFiles("sim/examples/hooks.yml")
	if err != nil {
		t.Fatal(err)
	}
	if len(all.PreStartHooks) != 1 || all.PreStartHooks[0].Apply == nil || len(all.PreRunHooks) != 1 || all.PreRunHooks[0].WaitForPods == nil ||
		len(all.PostStopHooks) != 1 || all.PostStopHooks[0].DeleteNodes == nil {
		t.Fatalf("the example does not show every action: %+v", all)
	}
	selector := all.PostStopHooks[0].DeleteNodes.Selector.MatchLabels
	nodes := readNodes(t, []byte(all.PreStartHooks[0].Apply.Manifests))
	if len(nodes) == 0 {
		t.Error("no node is created")
	}
	matches := func(node *corev1.Node) bool {
		for key, value := range selector {
			if node.Labels[key] != value {
				return false
			}
		}
		return true
	}
	for _, node := range nodes {
		if checkSimulatedNode(t, node); !matches(node) {
			t.Errorf("%s stays: it is not selected by %v", node.Name, selector)
		}
	}
	for _, node := range exampleNodes(t) {
		if matches(node) {
			t.Errorf("%s, of nodes.yml, would go too", node.Name)
		}
	}
}

// The dashboard uses existing metrics, including all of the driver's, and the documentation lists
// all of them.
func TestSimExamples_Dashboard(t *testing.T) {
	there := map[string]bool{}
	for _, file := range []string{"../internal/driver/metrics.go", "../internal/admission/metrics.go", "../internal/controller/metrics.go"} {
		source, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		for _, match := range regexp.MustCompile(`"(simkube_[a-z_]+)"`).FindAllSubmatch(source, -1) {
			there[string(match[1])] = true
		}
	}
	if len(there) < 10 {
		t.Fatalf("only %d metrics were found: this test looks in the wrong place", len(there))
	}
	text, err := os.ReadFile("sim/examples/dashboard.json")
	if err != nil {
		t.Fatal(err)
	}
	var dashboard struct {
		Panels []struct {
			Title   string
			Targets []struct{ Expr string }
		}
	}
	if err := json.Unmarshal(text, &dashboard); err != nil {
		t.Fatal(err)
	}
	docs, err := os.ReadFile("../docs/sim-metrics.md")
	if err != nil {
		t.Fatal(err)
	}
	for name := range there {
		if !strings.Contains(string(docs), "| `"+name) {
			t.Errorf("docs/sim-metrics.md does not list %s", name)
		}
	}
	used := map[string]bool{}
	for _, panel := range dashboard.Panels {
		if len(panel.Targets) == 0 {
			t.Errorf("panel %s shows nothing", panel.Title)
		}
		for _, target := range panel.Targets {
			for _, name := range regexp.MustCompile(`simkube_[a-z_]+`).FindAllString(target.Expr, -1) {
				if name = strings.TrimSuffix(name, "_bucket"); !there[name] {
					t.Errorf("panel %s asks for %s, which there is not", panel.Title, name)
				}
				used[name] = true
			}
		}
	}
	for name := range there {
		if !used[name] && !strings.HasPrefix(name, "simkube_ctrl_") {
			t.Errorf("no panel shows %s", name)
		}
	}
}
