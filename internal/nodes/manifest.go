package nodes

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/validation"
	utilyaml "k8s.io/apimachinery/pkg/util/yaml"
	"sigs.k8s.io/yaml"

	"simkube.io/simkube/internal/words"
)

// ReadManifestFile opens a file and reads it with [ReadManifests].
func ReadManifestFile(path string) (nodes []*corev1.Node, notes []string, err error) {
	file, err := os.Open(path)
	if err != nil {
		return nil, nil, fmt.Errorf("read node manifests: %w", err)
	}
	defer file.Close()
	return ReadManifests(file, path)
}

// ReadManifests reads Node manifests: YAML documents or JSON values, each a Node or a List of
// Nodes, such as `kubectl get nodes -o yaml` writes. name is the file's name in errors and notes.
//
// Nodes are kept as they are, with two exceptions. The annotation of KWOK is added if it is
// missing. What belongs to their original cluster is dropped: identity, conditions, addresses, pod
// CIDRs, and the taints of an unhealthy node, as well as the taint that keeps other pods off
// simulated nodes in a shared cluster. Missing labels for hostname, operating system and
// architecture, which a kubelet sets, are added; a missing allocatable is copied from the capacity
// and vice versa; a missing number of pods is 110. The notes list what was added and removed.
//
// The error joins all problems: documents that are not Nodes or cannot be decoded, nodes without a
// name or a size, duplicate names, no node at all, or more than MaxNodes.
func ReadManifests(r io.Reader, name string) (nodes []*corev1.Node, notes []string, err error) {
	reader := manifestReader{file: name, firstSeen: map[string]string{}, added: additions{}}
	reader.read(r)
	switch {
	case len(reader.problems) > 0:
	case len(reader.nodes) == 0 && len(reader.notReady) > 0:
		reader.problem("", fmt.Errorf("none of its %s is ready", words.Count(len(reader.notReady), "node")))
	case len(reader.nodes) == 0:
		reader.problem("", errors.New("contains no Node manifest"))
	case len(reader.nodes) > MaxNodes:
		reader.problem("", fmt.Errorf("%d nodes; at most %d can be simulated", len(reader.nodes), MaxNodes))
	}
	if len(reader.problems) > 0 {
		return nil, nil, joinProblems(reader.problems)
	}
	notes = reader.added.notes(name, len(reader.nodes))
	for _, note := range []string{notReadyNote(name, reader.notReady), cordonedNote(name, reader.nodes)} {
		if note != "" {
			notes = append(notes, note)
		}
	}
	return reader.nodes, notes, nil
}

// maxProblems is the number of problems of one file that an error lists.
const maxProblems = 10

func joinProblems(problems []error) error {
	if more := len(problems) - maxProblems; more > 0 {
		problems = append(problems[:maxProblems:maxProblems], fmt.Errorf("and %d more problems", more))
	}
	return errors.Join(problems...)
}

type manifestReader struct {
	file      string
	nodes     []*corev1.Node
	firstSeen map[string]string // by node name, where it occurred first
	notReady  []string
	added     additions
	problems  []error
}

func (m *manifestReader) problem(place string, err error) {
	if place == "" {
		m.problems = append(m.problems, fmt.Errorf("%s: %w", m.file, err))
		return
	}
	m.problems = append(m.problems, fmt.Errorf("%s: %s: %w", m.file, place, err))
}

// read reads all documents. They are numbered from 1. Empty documents count too, so that a number
// can be found in an editor by counting separators.
func (m *manifestReader) read(r io.Reader) {
	buffered := bufio.NewReader(r)
	next := m.yamlDocuments(buffered)
	if start, _ := buffered.Peek(512); bytes.HasPrefix(bytes.TrimSpace(start), []byte("{")) {
		next = jsonDocuments(buffered)
	}
	for number := 1; ; number++ {
		place := fmt.Sprintf("document %d", number)
		document, err := next()
		if errors.Is(err, io.EOF) {
			return
		}
		if err != nil {
			m.problem(place, err)
			return // the start of the next document is unknown
		}
		data, err := yaml.YAMLToJSON(document)
		if err != nil {
			m.problem(place, err)
			continue
		}
		if string(data) == "null" {
			continue
		}
		m.value(place, data)
	}
}

func (m *manifestReader) yamlDocuments(r *bufio.Reader) func() ([]byte, error) {
	return utilyaml.NewYAMLReader(r).Read
}

func jsonDocuments(r io.Reader) func() ([]byte, error) {
	decoder := json.NewDecoder(r)
	return func() ([]byte, error) {
		var raw json.RawMessage
		err := decoder.Decode(&raw)
		return raw, err
	}
}

// manifestHead has the fields that distinguish a Node from a list and from other objects.
type manifestHead struct {
	metav1.TypeMeta `json:",inline"`
	Metadata        struct {
		Name string `json:"name"`
	} `json:"metadata"`
	Items []json.RawMessage `json:"items"`
}

// value reads one JSON value, a Node or a list.
func (m *manifestReader) value(place string, data []byte) {
	var head manifestHead
	if err := json.Unmarshal(data, &head); err != nil {
		m.problem(place, fmt.Errorf("not a manifest: %w", err))
		return
	}
	switch {
	case head.APIVersion == "v1" && (head.Kind == "List" || head.Kind == "NodeList"):
		for i, item := range head.Items {
			m.value(fmt.Sprintf("%s, item %d", place, i+1), item)
		}
	case head.APIVersion != "v1" || head.Kind != "Node":
		what := fmt.Sprintf("%s %q", strings.TrimPrefix(head.APIVersion+"."+head.Kind, "."), head.Metadata.Name)
		if head.Kind == "" {
			what = "an object without a kind"
		}
		m.problem(place, fmt.Errorf("%s is not a v1.Node", what))
	default:
		m.node(place, data)
	}
}

func (m *manifestReader) node(place string, data []byte) {
	var node corev1.Node
	if err := checkNodeQuantities(data); err != nil {
		m.problem(place, fmt.Errorf("decode Node: %w", err))
		return
	}
	if err := json.Unmarshal(data, &node); err != nil {
		m.problem(place, fmt.Errorf("decode Node: %w", err))
		return
	}
	if node.Name == "" {
		m.problem(place, errors.New("Node without metadata.name"))
		return
	}
	if first, ok := m.firstSeen[node.Name]; ok {
		m.problem(place, fmt.Errorf("Node %q is a duplicate, first defined in %s", node.Name, first))
		return
	}
	m.firstSeen[node.Name] = place
	if problems := validation.IsDNS1123Subdomain(node.Name); len(problems) > 0 {
		m.problem(place, fmt.Errorf("Node %q: %s", node.Name, problems[0]))
		return
	}
	if len(node.Status.Allocatable) == 0 && len(node.Status.Capacity) == 0 {
		m.problem(place, fmt.Errorf("Node %q has neither status.allocatable nor status.capacity: set cpu, memory and pods", node.Name))
		return
	}
	if !isReady(&node) {
		m.notReady = append(m.notReady, node.Name)
		return
	}
	m.nodes = append(m.nodes, m.added.simulated(&node))
}

// defaultPods is the default limit of a kubelet.
var defaultPods = resource.MustParse("110")
