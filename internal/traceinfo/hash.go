package traceinfo

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"iter"
	"maps"
	"slices"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
	utiljson "k8s.io/apimachinery/pkg/util/json"
	utilyaml "k8s.io/apimachinery/pkg/util/yaml"
	"sigs.k8s.io/yaml"

	simkubev1 "simkube.io/simkube/api/v1"
	"simkube.io/simkube/trace"
)

// Hashes are the hashes of one manifest.
type Hashes struct {
	// Time is the time of the event, or nil if the manifest is not part of a trace.
	Time *int64 `json:"ts,omitempty"`
	Kind string `json:"kind"`
	// Name is the namespaced name.
	Name string `json:"name"`
	// Hash is the manifest hash. In JSON, hashes are strings, because many programs cannot represent
	// them as numbers.
	Hash uint64    `json:"hash,string"`
	Pods []PodHash `json:"pods,omitempty"`
	// OtherLifecycles are the lifecycles of its pods with hashes that are not in Pods.
	OtherLifecycles []OtherLifecycles `json:"otherLifecycles,omitempty"`
}

// PodHash is the hash of a pod template, or of a pod.
type PodHash struct {
	// Path is the JSON Pointer of the template in the manifest; empty for a pod.
	Path string `json:"path"`
	Hash uint64 `json:"hash,string"`
	// Annotation is the hash in an annotation of the pod.
	Annotation string `json:"annotation,omitempty"`
	// Lifecycles is the number of recorded lifecycles with the hash.
	Lifecycles int `json:"lifecycles,omitempty"`
}

// OtherLifecycles counts the lifecycles under a pod hash.
type OtherLifecycles struct {
	Hash       uint64 `json:"hash,string"`
	Lifecycles int    `json:"lifecycles"`
}

// HashEvents calls show with the hashes of each object in events, whenever its spec has changed.
func HashEvents(config *trace.Config, events iter.Seq2[*trace.Event, error], lifecycles trace.Lifecycles, show func(*Hashes) error) error {
	last := map[trace.PodOwner]uint64{}
	for event, err := range events {
		if err != nil {
			return err
		}
		for i := range event.Applied {
			obj := &event.Applied[i]
			owner, hash := trace.PodOwner{GVK: obj.GVK(), Name: obj.NamespacedName()}, obj.Hash()
			if before, ok := last[owner]; ok && before == hash {
				continue
			}
			last[owner] = hash
			h := &Hashes{Time: &event.Time, Kind: trace.FormatGVK(owner.GVK), Name: owner.Name, Hash: hash}
			if paths := config.PodSpecTemplatePaths(owner.GVK); len(paths) > 0 {
				tree, err := obj.Unstructured()
				if err != nil {
					return err
				}
				if h.Pods, err = podHashes(tree.Object, paths); err != nil {
					return fmt.Errorf("event at %d: %s: %w", event.Time, owner, err)
				}
			}
			h.addLifecycles(lifecycles[owner])
			if err := show(h); err != nil {
				return err
			}
		}
	}
	return nil
}

func (h *Hashes) addLifecycles(recorded map[uint64][]trace.Lifecycle) {
	for _, hash := range slices.Sorted(maps.Keys(recorded)) {
		n := len(recorded[hash])
		found := false
		for i := range h.Pods {
			if h.Pods[i].Hash == hash {
				h.Pods[i].Lifecycles, found = n, true
			}
		}
		if !found {
			h.OtherLifecycles = append(h.OtherLifecycles, OtherLifecycles{hash, n})
		}
	}
}

// HashManifests calls show with the hashes of each manifest in a stream of YAML or JSON documents.
// Lists are expanded.
func HashManifests(config *trace.Config, r io.Reader, show func(*Hashes) error) error {
	reader := utilyaml.NewYAMLReader(bufio.NewReader(r))
	for n := 1; ; n++ {
		text, err := reader.Read()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err == nil {
			err = hashDocument(config, text, show)
		}
		if err != nil {
			return fmt.Errorf("document %d: %w", n, err)
		}
	}
}

// hashDocument calls show with the hashes of the objects in one YAML document. JSON may be several
// values.
func hashDocument(config *trace.Config, text []byte, show func(*Hashes) error) error {
	if trimmed := bytes.TrimSpace(text); len(trimmed) > 0 && trimmed[0] == '{' {
		dec := json.NewDecoder(bytes.NewReader(trimmed))
		for {
			var raw json.RawMessage
			if err := dec.Decode(&raw); errors.Is(err, io.EOF) {
				return nil
			} else if err != nil {
				return fmt.Errorf("read the JSON: %w", err)
			}
			if err := hashJSON(config, raw, show); err != nil {
				return err
			}
		}
	}
	converted, err := yaml.YAMLToJSON(text)
	if err != nil {
		return fmt.Errorf("read the YAML: %w", err)
	}
	if string(converted) == "null" {
		return nil // only comments
	}
	return hashJSON(config, converted, show)
}

func hashJSON(config *trace.Config, text []byte, show func(*Hashes) error) error {
	var value any
	// As when Kubernetes reads JSON, integers stay integers.
	if err := utiljson.Unmarshal(text, &value); err != nil {
		return fmt.Errorf("read the JSON: %w", err)
	}
	tree, ok := value.(map[string]any)
	if !ok {
		return errors.New("want a manifest")
	}
	u := &unstructured.Unstructured{Object: tree}
	if u.IsList() {
		n := 0
		return u.EachListItem(func(item runtime.Object) error {
			n++
			inner, ok := item.(*unstructured.Unstructured)
			if !ok {
				return fmt.Errorf("item %d: want a manifest", n)
			}
			if err := hashManifest(config, inner, show); err != nil {
				return fmt.Errorf("item %d: %w", n, err)
			}
			return nil
		})
	}
	return hashManifest(config, u, show)
}

func hashManifest(config *trace.Config, u *unstructured.Unstructured, show func(*Hashes) error) error {
	obj, err := trace.NewObject(u)
	var format *trace.FormatError
	switch {
	case errors.As(err, &format) && format.Path != "":
		return fmt.Errorf("%s: %s", format.Path, format.Msg) // the offset is one in the msgpack encoding
	case format != nil:
		return errors.New(format.Msg)
	case err != nil:
		return err
	}
	h := &Hashes{Kind: trace.FormatGVK(obj.GVK()), Name: obj.NamespacedName(), Hash: obj.Hash()}
	if h.Pods, err = podHashes(u.Object, config.PodSpecTemplatePaths(obj.GVK())); err != nil {
		return fmt.Errorf("%s %s: %w", h.Kind, h.Name, err)
	}
	return show(h)
}

// podHashes returns the hashes of an object's pods.
func podHashes(tree map[string]any, paths []string) ([]PodHash, error) {
	var found []PodHash
	for _, path := range paths {
		locations, err := trace.ResolvePaths(tree, path)
		if err != nil {
			return nil, err
		}
		for _, l := range locations {
			template, _ := l.Value.(map[string]any)
			if nested, ok := template["template"].(map[string]any); ok && tree["kind"] == "ReplicaSet" {
				template = nested // existing traces have /spec as the path of a ReplicaSet
			}
			spec, ok := template["spec"].(map[string]any)
			if !ok {
				continue
			}
			pod := PodHash{Path: l.Pointer}
			if pod.Hash, err = trace.HashPodSpec(spec); err != nil {
				return nil, fmt.Errorf("at %q: %w", l.Pointer, err)
			}
			pod.Annotation, _, _ = unstructured.NestedString(template, "metadata", "annotations", simkubev1.AnnotationPodSpecStableHash)
			found = append(found, pod)
		}
	}
	return found, nil
}
