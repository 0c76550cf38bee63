package validate

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/resource"
	"k8s.io/apimachinery/pkg/runtime/schema"

	"simkube.io/simkube/trace"
)

var (
	quotaKind      = schema.GroupKind{Kind: "ResourceQuota"}
	limitRangeKind = schema.GroupKind{Kind: "LimitRange"}
)

func quotaExceeded() *Rule {
	return &Rule{
		Code: "W0108", Name: "quota_exceeded", Severity: Warning,
		Title: "The pods of an object exceed a ResourceQuota of the trace.",
		Help: `The API server refuses pods beyond the quota of their namespace, and pods without a request for a
resource that the quota limits, in a simulation too. If the recorded cluster refused them as well,
nothing need be done: the replay reports them, as it does all pods that are not created. Otherwise
the trace was changed, or the quota was not in force when the pods were created. Raise the quota, or
remove it, as the suggestion does. Quotas with scopes are not checked, and of DaemonSets, CronJobs,
and custom kinds the number of pods is not known.`,
		object: func(c *Checker, rule *Rule, s *occurrence) {
			for _, e := range c.quotas.exceeded(s) {
				c.report(rule, s, e.path, e.quota+"\x00"+string(e.resource), func() string { return e.reason })
			}
		},
		suggest: func(c *Checker, rule *Rule, p *program) {
			namespaces := map[string]bool{}
			for key := range c.findings {
				if key.rule == rule {
					namespace, _ := trace.SplitNamespacedName(key.object.name)
					namespaces[namespace] = true
				}
			}
			p.command("delete(@gvk == %s && %s);", quote("v1.ResourceQuota"), anyOf("metadata.namespace", slices.Sorted(maps.Keys(namespaces))))
		},
	}
}

// quotas are the quotas of the trace, with the workloads in their namespaces.
type quotas struct {
	// hard are the limits by namespace and name of the quota.
	hard map[string]map[string]corev1.ResourceList
	// workloads are the objects with pods in these namespaces.
	workloads map[string]map[objectKey]*facts
	// defaults are the namespaces with a LimitRange, which may add requests to pods.
	defaults map[string]bool
}

func newQuotas() quotas {
	return quotas{hard: map[string]map[string]corev1.ResourceList{}, workloads: map[string]map[objectKey]*facts{}, defaults: map[string]bool{}}
}

// add reads a quota or a LimitRange; existing are all objects.
func (q *quotas) add(o *trace.Object, existing map[objectKey]*object) {
	switch o.GVK().GroupKind() {
	case limitRangeKind:
		q.defaults[o.Namespace()] = true
		return
	case quotaKind:
	default:
		return
	}
	q.remove(quotaKind, o.NamespacedName())
	u, err := o.Unstructured()
	if err != nil {
		return
	}
	spec, _ := u.Object["spec"].(map[string]any)
	hard, _ := spec["hard"].(map[string]any)
	if len(hard) == 0 || spec["scopes"] != nil || spec["scopeSelector"] != nil {
		return
	}
	limits := corev1.ResourceList{}
	for name, value := range hard {
		if quantity, ok := parseQuantity(fmt.Append(nil, value)); ok {
			limits[corev1.ResourceName(name)] = quantity
		}
	}
	namespace := o.Namespace()
	if q.hard[namespace] == nil {
		q.hard[namespace], q.workloads[namespace] = map[string]corev1.ResourceList{}, map[objectKey]*facts{}
		for key, object := range existing {
			if in, _ := trace.SplitNamespacedName(key.name); in == namespace {
				q.applied(key, object.facts)
			}
		}
	}
	q.hard[namespace][o.Name()] = limits
}

// remove removes a quota.
func (q *quotas) remove(kind schema.GroupKind, namespacedName string) {
	if kind == quotaKind {
		namespace, name := trace.SplitNamespacedName(namespacedName)
		delete(q.hard[namespace], name)
	}
}

// applied and deleted note the objects of a namespace with a quota.
func (q *quotas) applied(key objectKey, f *facts) {
	if len(q.workloads) == 0 || f.copies <= 0 {
		return
	}
	namespace, _ := trace.SplitNamespacedName(key.name)
	if in := q.workloads[namespace]; in != nil {
		in[key] = f
	}
}

func (q *quotas) deleted(key objectKey) {
	if len(q.workloads) > 0 {
		namespace, _ := trace.SplitNamespacedName(key.name)
		delete(q.workloads[namespace], key)
	}
}

// excess is a limit that the pods of an object exceed.
type excess struct {
	path, quota, reason string
	resource            corev1.ResourceName
}

// exceeded returns the limits that are exceeded with the pods of an object.
func (q *quotas) exceeded(s *occurrence) []excess {
	if len(q.hard) == 0 || s.facts.copies <= 0 {
		return nil
	}
	namespace, _ := trace.SplitNamespacedName(s.key.name)
	var found []excess
	for _, name := range slices.Sorted(maps.Keys(q.hard[namespace])) {
		hard := q.hard[namespace][name]
		for _, limit := range sortedResources(hard) {
			e := excess{path: s.facts.templates[0].path, quota: name, resource: limit}
			if of := requested(limit); (of == corev1.ResourceCPU || of == corev1.ResourceMemory) && !q.defaults[namespace] {
				if path := withoutRequest(s.facts, of); path != "" {
					e.path, e.reason = path, fmt.Sprintf("the ResourceQuota %s limits %s, and the pod requests no %s, so it is refused", name, limit, of)
					found = append(found, e)
					continue
				}
			}
			total, known := q.total(namespace, limit)
			if most := hard[limit]; known && total.Cmp(most) > 0 {
				e.reason = fmt.Sprintf("with its pods, the namespace would use %s of %s, and the ResourceQuota %s allows %s", total.String(), limit, name, most.String())
				found = append(found, e)
			}
		}
	}
	return found
}

// total returns how much of a limited resource the pods of a namespace use.
func (q *quotas) total(namespace string, limit corev1.ResourceName) (total resource.Quantity, known bool) {
	of := requested(limit)
	if of == "" {
		return total, false
	}
	for _, f := range q.workloads[namespace] {
		for _, t := range f.templates {
			amount := *resource.NewQuantity(1, resource.DecimalSI)
			if of != corev1.ResourcePods {
				if t.demand == nil {
					continue
				}
				amount = t.demand.requests[of].DeepCopy()
			}
			amount.Mul(f.copies)
			total.Add(amount)
		}
	}
	return total, true
}

// requested returns the resource of pods that a quota limits under a name, or "" for one that is
// not checked.
func requested(limit corev1.ResourceName) corev1.ResourceName {
	switch limit {
	case corev1.ResourcePods, "count/pods":
		return corev1.ResourcePods
	case corev1.ResourceCPU, corev1.ResourceMemory, corev1.ResourceEphemeralStorage:
		return limit
	case corev1.ResourceRequestsStorage:
		return ""
	}
	name, ok := strings.CutPrefix(string(limit), corev1.DefaultResourceRequestsPrefix)
	if !ok {
		return ""
	}
	return corev1.ResourceName(name)
}

// withoutRequest returns the path of a pod that does not request a resource, or "".
func withoutRequest(f *facts, of corev1.ResourceName) string {
	for _, t := range f.templates {
		if t.demand == nil {
			return t.path
		}
		if _, ok := t.demand.requests[of]; !ok {
			return t.path
		}
	}
	return ""
}

// copies returns how many pods of a template a controller keeps, as far as the object says so.
func copies(kind schema.GroupKind, spec []byte) int64 {
	field, second := "replicas", ""
	switch kind {
	case schema.GroupKind{Kind: "Pod"}:
		return 1
	case schema.GroupKind{Group: "apps", Kind: "Deployment"}, schema.GroupKind{Group: "apps", Kind: "ReplicaSet"},
		schema.GroupKind{Group: "apps", Kind: "StatefulSet"}, schema.GroupKind{Kind: "ReplicationController"}:
	case schema.GroupKind{Group: "batch", Kind: "Job"}:
		field, second = "parallelism", "completions"
	default:
		return 0
	}
	n, most, suspended := int64(1), int64(-1), false
	eachField(spec, func(key, value []byte) []byte {
		switch string(key) {
		case field:
			return readInt(value, &n)
		case second:
			return readInt(value, &most)
		case "suspend":
			return readTrue(value, &suspended)
		}
		return skip(value)
	})
	if suspended {
		return 0
	}
	if most >= 0 {
		n = min(n, most)
	}
	return n
}
