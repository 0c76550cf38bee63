package traceconvert

import (
	"encoding/json"
	"fmt"
	"hash/fnv"
	"slices"
	"strings"

	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/client-go/kubernetes/scheme"

	"simkube.io/simkube/trace"
)

// defaultNamespace is the namespace of an object whose manifest has none.
const defaultNamespace = "default"

// isClusterScoped reports whether a kind is built in and has no namespace.
func isClusterScoped(kind schema.GroupKind) bool {
	var kinds []string
	switch kind.Group {
	case "":
		kinds = []string{"Namespace", "Node", "PersistentVolume", "ComponentStatus"}
	case "admissionregistration.k8s.io":
		kinds = []string{
			"MutatingWebhookConfiguration", "ValidatingWebhookConfiguration",
			"ValidatingAdmissionPolicy", "ValidatingAdmissionPolicyBinding",
			"MutatingAdmissionPolicy", "MutatingAdmissionPolicyBinding",
		}
	case "apiextensions.k8s.io":
		kinds = []string{"CustomResourceDefinition"}
	case "apiregistration.k8s.io":
		kinds = []string{"APIService"}
	case "certificates.k8s.io":
		kinds = []string{"CertificateSigningRequest", "ClusterTrustBundle"}
	case "flowcontrol.apiserver.k8s.io":
		kinds = []string{"FlowSchema", "PriorityLevelConfiguration"}
	case "internal.apiserver.k8s.io":
		kinds = []string{"StorageVersion"}
	case "networking.k8s.io":
		kinds = []string{"IngressClass", "IPAddress", "ServiceCIDR"}
	case "node.k8s.io":
		kinds = []string{"RuntimeClass"}
	case "policy":
		kinds = []string{"PodSecurityPolicy"}
	case "rbac.authorization.k8s.io":
		kinds = []string{"ClusterRole", "ClusterRoleBinding"}
	case "resource.k8s.io":
		kinds = []string{"DeviceClass", "ResourceSlice", "DeviceTaintRule"}
	case "scheduling.k8s.io":
		kinds = []string{"PriorityClass"}
	case "storage.k8s.io":
		kinds = []string{"StorageClass", "VolumeAttachment", "CSIDriver", "CSINode", "VolumeAttributesClass"}
	case "storagemigration.k8s.io":
		kinds = []string{"StorageVersionMigration"}
	}
	return slices.Contains(kinds, kind.Kind)
}

// scopes knows which kinds have a namespace.
type scopes struct {
	// defined are the kinds with a CustomResourceDefinition in the input: whether they are namespaced.
	defined map[schema.GroupKind]bool
	// guessed are the kinds without a definition, and whether they were taken for namespaced ones.
	guessed map[schema.GroupKind]bool
	// revised: a definition contradicts what was guessed before.
	revised bool
}

func newScopes() *scopes {
	return &scopes{defined: map[schema.GroupKind]bool{}, guessed: map[schema.GroupKind]bool{}}
}

// define reads a CustomResourceDefinition.
func (s *scopes) define(data []byte) {
	var definition struct {
		Spec struct {
			Group, Scope string
			Names        struct{ Kind string }
		}
	}
	if json.Unmarshal(data, &definition) != nil || definition.Spec.Names.Kind == "" {
		return
	}
	kind := schema.GroupKind{Group: definition.Spec.Group, Kind: definition.Spec.Names.Kind}
	namespaced := definition.Spec.Scope != "Cluster"
	if guess, ok := s.guessed[kind]; ok && guess != namespaced {
		s.revised = true
	}
	delete(s.guessed, kind)
	s.defined[kind] = namespaced
}

// namespace returns the namespace of an object whose manifest has the given one, like an API
// server. recorded means that the manifest comes from one, and so is complete.
func (s *scopes) namespace(gvk schema.GroupVersionKind, given string, recorded bool) string {
	kind := gvk.GroupKind()
	namespaced, known := s.defined[kind]
	switch {
	case known:
	case isClusterScoped(kind):
		namespaced = false
	case scheme.Scheme.IsGroupRegistered(kind.Group) || given != "":
		namespaced = true
	case recorded:
		return ""
	default:
		namespaced = !looksClusterScoped(kind)
		s.guessed[kind] = namespaced
	}
	switch {
	case !namespaced:
		return ""
	case given == "":
		return defaultNamespace
	}
	return given
}

// looksClusterScoped guesses from the name of a kind whether it is cluster-scoped.
func looksClusterScoped(kind schema.GroupKind) bool {
	return strings.HasPrefix(kind.Kind, "Cluster") || strings.HasPrefix(kind.Kind, "Global") ||
		strings.HasSuffix(kind.Kind, "Class") || strings.HasPrefix(kind.Group, "karpenter.")
}

// guesses returns a message about the kinds whose scope is not known, or "".
func (s *scopes) guesses() string {
	var kinds []string
	for kind, namespaced := range s.guessed {
		if namespaced {
			kinds = append(kinds, kind.String())
		}
	}
	if len(kinds) == 0 {
		return ""
	}
	slices.Sort(kinds)
	return fmt.Sprintf("no CustomResourceDefinition in the input says whether these kinds have a namespace; their objects are in the namespace %s: %s",
		defaultNamespace, strings.Join(kinds, ", "))
}

// head is the part of an object that identifies it.
type head struct {
	APIVersion, Kind string
	Metadata         struct {
		Name, GenerateName, Namespace string
		// These are set by an API server.
		UID, ResourceVersion string
		CreationTimestamp    *string
	}
}

// parseHead returns the part of an object that identifies it, and its kind.
func parseHead(data []byte) (h head, gvk schema.GroupVersionKind, err error) {
	if err := json.Unmarshal(data, &h); err != nil {
		return h, gvk, fmt.Errorf("not a Kubernetes object: %w", err)
	}
	gv, err := schema.ParseGroupVersion(h.APIVersion)
	if err != nil {
		return h, gvk, err
	}
	gvk = gv.WithKind(h.Kind)
	if parsed, err := trace.ParseGVK(trace.FormatGVK(gvk)); err != nil || parsed != gvk {
		return h, gvk, fmt.Errorf("apiVersion %q and kind %q are not a valid kind", h.APIVersion, h.Kind)
	}
	return h, gvk, nil
}

// identify returns the kind and the namespaced name of an object as an API server stores it, and
// its manifest with that name and namespace. place distinguishes objects that only have a prefix of
// their name.
func (r *recording) identify(data []byte, place string) (gvk schema.GroupVersionKind, name string, complete []byte, err error) {
	h, gvk, err := parseHead(data)
	if err != nil {
		return gvk, "", nil, err
	}
	m := h.Metadata
	name = m.Name
	if name == "" && m.GenerateName != "" {
		name = generatedName(m.GenerateName, place)
		r.generated[place] = true
	}
	if name == "" {
		return gvk, "", nil, errNameMissing
	}
	recorded := m.UID != "" || m.ResourceVersion != "" || m.CreationTimestamp != nil
	namespace := r.scopes.namespace(gvk, m.Namespace, recorded)
	if name != m.Name || namespace != m.Namespace {
		if data, err = renamed(data, name, namespace); err != nil {
			return gvk, "", nil, err
		}
	}
	if gvk.Group == "apiextensions.k8s.io" && gvk.Kind == "CustomResourceDefinition" {
		r.scopes.define(data)
	}
	return gvk, trace.NamespacedName(namespace, name), data, nil
}

// generatedName returns a name with a prefix, always the same one for a place in the input.
func generatedName(prefix, place string) string {
	// As in an API server, which has room for five characters after the prefix and avoids vowels.
	const (
		maxPrefix = 58
		letters   = "bcdfghjklmnpqrstvwxz2456789"
	)
	hash := fnv.New64a()
	_, _ = hash.Write([]byte(place)) // never fails
	name := []byte(prefix[:min(len(prefix), maxPrefix)])
	for sum, n := hash.Sum64(), 0; n < 5; n++ {
		name = append(name, letters[sum%uint64(len(letters))])
		sum /= uint64(len(letters))
	}
	return string(name)
}

// renamed returns a manifest with another name and namespace.
func renamed(data []byte, name, namespace string) ([]byte, error) {
	var object, metadata map[string]json.RawMessage
	if err := json.Unmarshal(data, &object); err != nil {
		return nil, err
	}
	if raw, ok := object["metadata"]; ok {
		if err := json.Unmarshal(raw, &metadata); err != nil {
			return nil, err
		}
	}
	if metadata == nil {
		metadata = map[string]json.RawMessage{}
	}
	for key, value := range map[string]string{"name": name, "namespace": namespace} {
		if value == "" {
			delete(metadata, key)
			continue
		}
		text, err := json.Marshal(value)
		if err != nil {
			return nil, err
		}
		metadata[key] = text
	}
	raw, err := json.Marshal(metadata)
	if err != nil {
		return nil, err
	}
	object["metadata"] = raw
	return json.Marshal(object)
}
