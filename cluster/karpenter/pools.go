package karpenter

import (
	"bufio"
	"bytes"
	"context"
	_ "embed"
	"errors"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/util/yaml"
	"k8s.io/client-go/dynamic"
	sigsyaml "sigs.k8s.io/yaml"

	"simkube.io/simkube/internal/words"
)

var (
	poolKind          = schema.GroupVersionKind{Group: "karpenter.sh", Version: "v1", Kind: "NodePool"}
	poolResource      = schema.GroupVersionResource{Group: "karpenter.sh", Version: "v1", Resource: "nodepools"}
	nodeClassResource = schema.GroupVersionResource{Group: "simkube.io", Version: "v1", Resource: "nodeclasses"}
	overlayKind       = schema.GroupVersionKind{Group: "karpenter.sh", Version: "v1alpha1", Kind: "NodeOverlay"}
	overlayResource   = schema.GroupVersionResource{Group: "karpenter.sh", Version: "v1alpha1", Resource: "nodeoverlays"}
)

//go:embed defaultpool.yaml
var defaultPool []byte

// Pools are node pools, with the node classes that they name.
type Pools struct {
	// Notes say what of the manifests is not simulated, and what was added to them.
	Notes   []string
	objects []poolObject
}

type poolObject struct {
	resource schema.GroupVersionResource
	where    string
	object   *unstructured.Unstructured
}

// DefaultPools returns one pool with all types of the most common architecture, and consolidation.
func DefaultPools() *Pools {
	pools, err := ParsePools("the default pool", defaultPool)
	if err != nil {
		panic(err) // it is embedded, and tested
	}
	return pools
}

// ParsePools parses manifests of node pools and node classes, in YAML or JSON. Node classes of
// clouds become ours, of the same name. All problems are in one error, with the file's name.
func ParsePools(name string, data []byte) (*Pools, error) {
	p := &Pools{}
	var problems []error
	classes, used, pools := map[string]bool{}, map[string]string{}, 0
	reader := yaml.NewYAMLReader(bufio.NewReader(bytes.NewReader(data)))
	for n := 1; ; n++ {
		doc, err := reader.Read()
		if errors.Is(err, io.EOF) {
			break
		}
		where := fmt.Sprintf("%s, document %d", name, n)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", where, err)
		}
		object := &unstructured.Unstructured{}
		if err := sigsyaml.Unmarshal(doc, &object.Object); err != nil {
			problems = append(problems, fmt.Errorf("%s: %w", where, err))
			continue
		}
		if len(object.Object) == 0 {
			continue
		}
		if err := p.add(object, where, classes, used); err != nil {
			problems = append(problems, fmt.Errorf("%s: %w", where, err))
		}
		if object.GroupVersionKind() == poolKind {
			pools++
		}
	}
	if err := errors.Join(problems...); err != nil {
		return nil, err
	}
	if pools == 0 {
		return nil, fmt.Errorf("%s: it has no NodePool of karpenter.sh/v1", name)
	}
	p.addClasses(name, classes, used)
	return p, nil
}

// add adds one manifest. classes are the node classes so far, by name, and whether they are ours,
// used those that pools name, with their kind.
func (p *Pools) add(object *unstructured.Unstructured, where string, classes map[string]bool, used map[string]string) error {
	gvk := object.GroupVersionKind()
	switch {
	case object.GetName() == "":
		return fmt.Errorf("a %s must have a name", gvk.Kind)
	case gvk == overlayKind:
		p.objects = append(p.objects, poolObject{overlayResource, where, object})
		return nil
	case gvk.Group == poolKind.Group && gvk.Kind == poolKind.Kind && gvk.Version != poolKind.Version:
		return fmt.Errorf("NodePool %s is of %s: must be of karpenter.sh/v1", object.GetName(), object.GetAPIVersion())
	case gvk == poolKind:
		ref := []string{"spec", "template", "spec", "nodeClassRef"}
		kind, _, _ := unstructured.NestedString(object.Object, append(ref, "kind")...)
		class, _, err := unstructured.NestedString(object.Object, append(ref, "name")...)
		if err != nil || class == "" {
			return fmt.Errorf("NodePool %s: spec.template.spec.nodeClassRef.name must be the name of a node class", object.GetName())
		}
		err = unstructured.SetNestedMap(object.Object, map[string]any{
			"group": nodeClassKind.Group, "kind": nodeClassKind.Kind, "name": class,
		}, ref...)
		if err != nil {
			return fmt.Errorf("NodePool %s: %w", object.GetName(), err)
		}
		used[class] = kind
		p.objects = append(p.objects, poolObject{poolResource, where, object})
		return nil
	case gvk == nodeClassKind:
		classes[object.GetName()] = true
		p.objects = append(p.objects, poolObject{nodeClassResource, where, object})
		return nil
	case strings.HasSuffix(gvk.Kind, "NodeClass"):
		if !classes[object.GetName()] {
			classes[object.GetName()] = false
		}
		p.Notes = append(p.Notes, fmt.Sprintf("%s %s is replaced by a node class of SimKube: images, networks and roles are not simulated", gvk.Kind, object.GetName()))
		return nil
	}
	return fmt.Errorf("%s %s: must be a NodePool, NodeOverlay or node class", gvk.Kind, object.GetName())
}

// addClasses adds the node classes that pools name and that the manifests do not have, or have as
// one of a cloud. file is the name of the manifests.
func (p *Pools) addClasses(file string, classes map[string]bool, used map[string]string) {
	for _, name := range slices.Sorted(maps.Keys(used)) {
		ours, known := classes[name]
		if ours {
			continue
		}
		if !known {
			note := fmt.Sprintf("%s has no node class %s: its instances take as long as those of the default one", file, name)
			if near := words.Nearest(name, slices.Sorted(maps.Keys(classes))...); len(near) > 0 {
				note += fmt.Sprintf(" (did you mean the node class %s?)", words.Or(near...))
			}
			p.Notes = append(p.Notes, note)
		}
		object := &unstructured.Unstructured{}
		object.SetGroupVersionKind(nodeClassKind)
		object.SetName(name)
		_ = unstructured.SetNestedMap(object.Object, defaultClassSpec(), "spec")
		p.objects = append(p.objects, poolObject{nodeClassResource, "node class " + name, object})
	}
}

// defaultClassSpec returns the delays of instances if no node class of ours says others.
func defaultClassSpec() map[string]any {
	return map[string]any{
		"startup":       map[string]any{"median": "40s", "p99": "1m10s"},
		"termination":   map[string]any{"median": "30s"},
		"startupTaints": map[string]any{"median": "10s"},
	}
}

// Count returns how many pools there are.
func (p *Pools) Count() int {
	n := 0
	for _, o := range p.objects {
		if o.resource == poolResource {
			n++
		}
	}
	return n
}

// AddLabel adds a label to the nodes of all pools.
func (p *Pools) AddLabel(key, value string) {
	for _, o := range p.objects {
		if o.resource == poolResource {
			// A pool whose labels are not a map is rejected by the API server.
			_ = unstructured.SetNestedField(o.object.Object, value, "spec", "template", "metadata", "labels", key)
		}
	}
}

// create creates all objects. The API server checks them.
func (p *Pools) create(ctx context.Context, client dynamic.Interface) error {
	var problems []error
	for _, o := range p.objects {
		if _, err := client.Resource(o.resource).Create(ctx, o.object.DeepCopy(), metav1.CreateOptions{FieldValidation: metav1.FieldValidationStrict}); err != nil {
			problems = append(problems, fmt.Errorf("%s: %w", o.where, err))
		}
	}
	return errors.Join(problems...)
}
