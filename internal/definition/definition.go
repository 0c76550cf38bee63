// Package definition makes definitions of the custom kinds that a trace uses and does not define,
// so that their objects can be replayed. A tracer records the objects of custom workloads, and
// seldom the CustomResourceDefinitions of their kinds.
package definition

import (
	"cmp"
	"maps"
	"slices"
	"strings"

	apiextensionsv1 "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/util/validation"
	"k8s.io/apimachinery/pkg/version"

	"simkube.io/simkube/trace"
)

// definitionKind is the kind of definitions.
var definitionKind = schema.GroupKind{Group: "apiextensions.k8s.io", Kind: "CustomResourceDefinition"}

// CanDefine reports whether a kind can be a custom one: its names are valid, and Kubernetes does
// not serve its group.
func CanDefine(gvk schema.GroupVersionKind, served func(group string) bool) bool {
	plural, _ := meta.UnsafeGuessKindToResource(gvk)
	return strings.Contains(gvk.Group, ".") && !served(gvk.Group) &&
		len(validation.IsDNS1123Subdomain(gvk.Group)) == 0 &&
		len(validation.IsDNS1035Label(gvk.Version)) == 0 &&
		len(validation.IsDNS1035Label(strings.ToLower(gvk.Kind))) == 0 &&
		len(validation.IsDNS1035Label(plural.Resource)) == 0
}

// Survey finds the custom kinds that a trace uses and does not define. It is not safe for
// concurrent use.
type Survey struct {
	served  func(group string) bool
	used    map[schema.GroupKind]*use
	defined map[schema.GroupKind]bool
}

// use is how a trace uses a kind.
type use struct {
	versions   map[string]bool
	namespaced bool
}

// NewSurvey returns a Survey. served reports whether Kubernetes serves a group.
func NewSurvey(served func(group string) bool) *Survey {
	return &Survey{served: served, used: map[schema.GroupKind]*use{}, defined: map[schema.GroupKind]bool{}}
}

// Define excludes the kind of a definition, which need not be in the trace.
func (s *Survey) Define(kind schema.GroupKind) { s.defined[kind] = true }

// Add adds the objects that an event applies. It does not keep the event.
func (s *Survey) Add(event *trace.Event) {
	for i := range event.Applied {
		s.add(&event.Applied[i])
	}
}

func (s *Survey) add(object *trace.Object) {
	gvk := object.GVK()
	kind := gvk.GroupKind()
	if kind == definitionKind {
		if u, err := object.Unstructured(); err == nil {
			s.Define(KindOf(u.Object))
		}
		return
	}
	known := s.used[kind]
	if known == nil {
		if !CanDefine(gvk, s.served) {
			return
		}
		known = &use{versions: map[string]bool{}}
		s.used[kind] = known
	}
	if !known.versions[gvk.Version] && CanDefine(gvk, s.served) {
		known.versions[gvk.Version] = true
	}
	known.namespaced = known.namespaced || object.Namespace() != ""
}

// KindOf returns the kind that the manifest of a CustomResourceDefinition defines.
func KindOf(manifest map[string]any) schema.GroupKind {
	group, _, _ := unstructured.NestedString(manifest, "spec", "group")
	kind, _, _ := unstructured.NestedString(manifest, "spec", "names", "kind")
	return schema.GroupKind{Group: group, Kind: kind}
}

// Missing returns definitions of the kinds that are not defined, ordered by name. They allow any
// fields. A kind is namespaced if an object of it has a namespace.
func (s *Survey) Missing() []*apiextensionsv1.CustomResourceDefinition {
	kinds := slices.SortedFunc(maps.Keys(s.used), func(a, b schema.GroupKind) int {
		return cmp.Or(cmp.Compare(a.Group, b.Group), cmp.Compare(a.Kind, b.Kind))
	})
	var all []*apiextensionsv1.CustomResourceDefinition
	names := map[string]bool{}
	for _, kind := range kinds {
		if s.defined[kind] {
			continue
		}
		crd := define(kind, s.used[kind])
		// Two kinds that differ only in case cannot both be served.
		if !names[crd.Name] {
			names[crd.Name] = true
			all = append(all, crd)
		}
	}
	return all
}

func define(kind schema.GroupKind, use *use) *apiextensionsv1.CustomResourceDefinition {
	plural, singular := meta.UnsafeGuessKindToResource(kind.WithVersion(""))
	crd := &apiextensionsv1.CustomResourceDefinition{
		TypeMeta:   metav1.TypeMeta{APIVersion: apiextensionsv1.SchemeGroupVersion.String(), Kind: definitionKind.Kind},
		ObjectMeta: metav1.ObjectMeta{Name: plural.Resource + "." + kind.Group},
		Spec: apiextensionsv1.CustomResourceDefinitionSpec{
			Group: kind.Group,
			Scope: apiextensionsv1.ClusterScoped,
			Names: apiextensionsv1.CustomResourceDefinitionNames{
				Kind: kind.Kind, ListKind: kind.Kind + "List", Plural: plural.Resource, Singular: singular.Resource,
			},
		},
	}
	if use.namespaced {
		crd.Spec.Scope = apiextensionsv1.NamespaceScoped
	}
	if strings.HasSuffix(kind.Group, ".k8s.io") || strings.HasSuffix(kind.Group, ".kubernetes.io") {
		// The API server insists on it for these groups.
		crd.Annotations = map[string]string{apiextensionsv1.KubeAPIApprovedAnnotation: "unapproved, made for a simulation"}
	}
	versions := slices.SortedFunc(maps.Keys(use.versions), func(a, b string) int { return version.CompareKubeAwareVersionStrings(b, a) })
	for i, name := range versions {
		crd.Spec.Versions = append(crd.Spec.Versions, apiextensionsv1.CustomResourceDefinitionVersion{
			Name: name, Served: true, Storage: i == 0,
			Schema: &apiextensionsv1.CustomResourceValidation{OpenAPIV3Schema: &apiextensionsv1.JSONSchemaProps{
				Type: "object", XPreserveUnknownFields: new(true),
			}},
		})
	}
	return crd
}
