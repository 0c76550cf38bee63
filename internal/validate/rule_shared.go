package validate

import (
	"fmt"
	"strings"

	"github.com/tinylib/msgp/msgp"
	"k8s.io/apimachinery/pkg/runtime/schema"

	simkubev1 "simkube.io/simkube/api/v1"
	"simkube.io/simkube/internal/virtualns"
	"simkube.io/simkube/trace"
)

func referenceOutside() *Rule {
	return &Rule{
		Code: "W0111", Name: "reference_outside", Severity: Warning,
		Title: "A custom resource names a namespace, and is not changed for a shared cluster.",
		Help: `In a cluster with other workloads, the namespaces of a trace have a prefix. References that Kubernetes
and the Gateway API define are changed accordingly, see docs/isolation.md. Those of other kinds are
not: they name a namespace outside of the simulation, and a controller of that kind may act on it.
Replay the trace with skctl simulate, which needs no prefix; set the simulated name with skctl
transform; or remove the objects, as the suggestion does. The rule is only checked with --shared.`,
		object: func(c *Checker, rule *Rule, s *occurrence) {
			for _, named := range s.facts.namespaces {
				if c.namespaces[named.name] {
					c.report(rule, s, named.path, named.name, func() string {
						return fmt.Sprintf("the field names the namespace %s of the trace, and in the simulation that of the cluster", named.name)
					})
				}
			}
		},
		suggest: suggestAPI,
	}
}

func namespaceShortened() *Rule {
	return &Rule{
		Code: "W0112", Name: "namespace_shortened", Severity: Info, inherent: true,
		Title: "The name of a namespace is too long with the prefix.",
		Help: `In a cluster with other workloads, the namespaces of a trace have a prefix, virtual- by default. A
name that is then longer than 63 characters is cut, and ends in a hash of the recorded name. Results
have the recorded name. Nothing need be done, unless something finds the namespace by its name: use
skctl run with a shorter prefix then. The rule is only checked with --shared.`,
		object: func(c *Checker, rule *Rule, s *occurrence) {
			if !c.opts.Shared {
				return
			}
			namespace, name := trace.SplitNamespacedName(s.key.name)
			if namespace == "" && s.key.kind == namespaceKind {
				namespace = name
			}
			if len(namespace) <= shortEnough || c.shortened[namespace] {
				return
			}
			c.shortened[namespace] = true
			simulated := virtualns.New("").Simulated(namespace)
			c.report(rule, s, "", "", func() string {
				return fmt.Sprintf("the namespace %s is called %s in the simulation", namespace, simulated)
			})
		},
		suggest: nothingToDo,
	}
}

// shortEnough is the length of names of namespaces that are never shortened with the default
// prefix.
const shortEnough = 63 - len(simkubev1.DefaultVirtualNsPrefix) - 1

// namedNamespace is a field with the name of a namespace.
type namedNamespace struct{ path, name string }

// mapped reports whether a replay in a shared cluster changes the namespaces that objects of a kind
// refer to, or whether there are none.
func mapped(gvk schema.GroupVersionKind) bool {
	return ServesGroup(gvk.Group) || gvk.Group == "gateway.networking.k8s.io"
}

// namespacesIn returns the fields of a custom resource that may name namespaces.
func (r *factsReader) namespacesIn(spec []byte) (found []namedNamespace) {
	if spec == nil {
		return nil
	}
	r.path = r.path[:0]
	defer r.pop(r.push("spec"))
	var walk func(b []byte, isName bool) []byte
	walk = func(b []byte, isName bool) []byte {
		switch msgp.NextType(b) {
		case msgp.MapType:
			return eachField(b, func(key, value []byte) []byte {
				defer r.pop(r.push(pathPart(string(key))))
				return walk(value, isNamespaceField(string(key)))
			})
		case msgp.ArrayType:
			return eachElement(b, func(i int, value []byte) []byte {
				defer r.pop(r.pushIndex(i))
				return walk(value, isName)
			})
		case msgp.StrType:
			if isName {
				var name []byte
				b = readString(b, &name)
				found = append(found, namedNamespace{r.text(r.path), r.text(name)})
				return b
			}
		}
		return skip(b)
	}
	walk(spec, false)
	return found
}

func isNamespaceField(name string) bool {
	name = strings.ToLower(name)
	return strings.HasSuffix(name, "namespace") || strings.HasSuffix(name, "namespaces")
}
