// Package exclusion has the rule about which objects of a trace are left out of every replay, on
// both clocks. The replay follows it, and a check before the replay says the same.
//
// An object is left out if it makes an API server call other servers, which do not run in a
// simulation, or if it describes the recorded cluster and not what ran in it. The rule depends on
// the kind and the name alone, so that a deletion is left out together with its object.
//
//	rule := exclusion.Rule{Shared: shared}
//	if reason := rule.Leaves(object); reason != nil {
//		// leave it out
//	}
//
// [Counter] counts the objects of a trace that are left out.
package exclusion

import (
	"strings"

	"k8s.io/apimachinery/pkg/runtime/schema"

	"simkube.io/simkube/trace"
)

// Reason is why objects of a kind are left out.
type Reason struct {
	// Text completes the sentence "they are left out: ...".
	Text string
	// Effect is what may differ from the recording without those objects for which Matters returns a
	// path. Action is what to do about it.
	Effect, Action string

	matters func(manifest map[string]any) (path string)
}

// Matters returns the path in an object because of which pods may differ without it, or an empty
// string if they do not.
func (r *Reason) Matters(object *trace.Object) (path string) {
	if r.matters == nil {
		return ""
	}
	u, err := object.Unstructured()
	if err != nil {
		return ""
	}
	return r.matters(u.Object)
}

// The reasons.
var (
	webhooks = &Reason{
		Text:    "the servers that they call do not run",
		Effect:  "objects that controllers create lack what a webhook changed in them, and none are refused by one",
		Action:  "nothing, unless a webhook changed or refused pods: then make the same change with skctl transform",
		matters: webhookMatters,
	}
	policies = &Reason{
		Text:    "the recorded objects were admitted by them already, and they may depend on who sends a request",
		Effect:  "objects that controllers create are not changed or refused by a policy",
		Action:  "nothing, unless a policy changed or refused pods: then make the same change with skctl transform",
		matters: policyMatters,
	}
	aggregated = &Reason{
		Text:    "the servers of aggregated APIs do not run, and without them the API server can neither list all kinds nor delete namespaces",
		Effect:  "the kinds of an aggregated API are unknown, and autoscalers have no metrics from it",
		Action:  "nothing, unless objects of such a kind were recorded, or something was scaled by such metrics",
		matters: aggregates,
	}
	simulated = &Reason{Text: "the nodes of a replay are simulated, as --nodes says"}
	fairness  = &Reason{Text: "priority and fairness are off"}
	recorded  = &Reason{Text: "they describe the recorded cluster, and nothing in a replay reads them"}
	allocated = &Reason{Text: "the cluster of the replay makes its own"}
	request   = &Reason{Text: "they are requests, and no objects that are kept"}
	ourselves = &Reason{Text: "they belong to SimKube itself, or to another simulation"}
)

// simkube is the API group of SimKube's own kinds.
const simkube = "simkube.io"

// Definition is the kind of custom resource definitions.
var Definition = schema.GroupKind{Group: "apiextensions.k8s.io", Kind: "CustomResourceDefinition"}

// Rule is the rule for a kind of cluster.
type Rule struct {
	// Shared means that the cluster has other workloads. There, the replay leaves out cluster-scoped
	// objects by other rules, and reports each.
	Shared bool
}

// Leaves returns why an object is left out, or nil if it is replayed.
func (r Rule) Leaves(object *trace.Object) *Reason {
	if r.Shared && object.Namespace() == "" {
		return nil
	}
	return Of(object.GVK().GroupKind(), object.Name())
}

// Of returns why the objects with a kind and a name are left out, or nil if they are replayed.
func Of(kind schema.GroupKind, name string) *Reason {
	switch kind.Group {
	case "admissionregistration.k8s.io":
		if strings.HasSuffix(kind.Kind, "WebhookConfiguration") {
			return webhooks
		}
		return policies
	case "apiregistration.k8s.io":
		return aggregated
	case "flowcontrol.apiserver.k8s.io":
		return fairness
	case "authentication.k8s.io", "authorization.k8s.io":
		return request
	case "certificates.k8s.io", "coordination.k8s.io", "discovery.k8s.io", "events.k8s.io", "internal.apiserver.k8s.io":
		return recorded
	case simkube:
		return ourselves
	case Definition.Group:
		if kind == Definition && strings.HasSuffix(name, "."+simkube) {
			return ourselves
		}
	case "networking.k8s.io":
		if kind.Kind == "IPAddress" || kind.Kind == "ServiceCIDR" {
			return allocated
		}
	case "storage.k8s.io":
		if kind.Kind == "VolumeAttachment" {
			return recorded
		}
	case "policy":
		if kind.Kind == "Eviction" {
			return request
		}
	case "":
		return core(kind.Kind)
	}
	return nil
}

// core returns why the objects of a kind of the group without a name are left out, or nil.
func core(kind string) *Reason {
	switch kind {
	case "Node":
		return simulated
	case "ComponentStatus", "Endpoints", "Event":
		return recorded
	case "Binding", "PodStatusResult", "RangeAllocation", "SerializedReference":
		return request
	}
	return nil
}
