package validate

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strings"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/resource"

	"simkube.io/simkube/trace"
)

// demandKey identifies a pod of an object and its demand.
type demandKey struct {
	object objectKey
	path   string
	demand *demand
}

// firstDemand is the first occurrence of an demandKey.
type firstDemand struct {
	occurrence
	template template
	count    int
}

func podLargerThanNodes() *Rule {
	return &Rule{
		Code: "W0103", Name: "pod_larger_than_any_node", Severity: Info, shared: Warning,
		Title: "A pod requests more than any node has.",
		Help: `The nodes are those recorded in the trace, or the one that --node-shape describes; without either, the
rule is not checked. skctl simulate makes larger nodes for such pods, unless you give it a number or a
file of nodes. On nodes of a given size, which --node-shape and --shared stand for, such a pod stays
pending for the whole replay; with these flags, this is a warning. Use larger nodes in the replay; or
remove the requests that do not fit, as the suggestion does.`,
		object: func(c *Checker, _ *Rule, s *occurrence) {
			for i := range s.facts.templates {
				t := &s.facts.templates[i]
				if t.demand == nil {
					continue
				}
				key := demandKey{s.key, t.path, t.demand}
				known := c.firstDemands[key]
				if known == nil {
					known = &firstDemand{occurrence: *s, template: *t}
					known.facts = nil
					c.firstDemands[key] = known
				}
				known.count++
			}
		},
		finish:  checkNodes,
		suggest: suggestNodes,
	}
}

func checkNodes(c *Checker, rule *Rule, tail *trace.Tail) {
	if len(c.firstDemands) == 0 {
		return
	}
	nodes, note := c.nodes(tail)
	if note != "" {
		c.notes = append(c.notes, fmt.Sprintf("%s %s was not checked: %s", rule.Code, rule.Name, note))
	}
	if len(nodes) == 0 {
		return
	}
	reasons := map[*demand]string{}
	for _, key := range slices.SortedFunc(maps.Keys(c.firstDemands), func(a, b demandKey) int {
		x, y := c.firstDemands[a], c.firstDemands[b]
		if x.event != y.event {
			return x.event - y.event
		}
		return compareTexts(a.object.kind.String(), b.object.kind.String(), a.object.name, b.object.name, a.path, b.path,
			sizeText(a.demand.requests), sizeText(b.demand.requests))
	}) {
		a := c.firstDemands[key]
		reason, known := reasons[key.demand]
		if !known {
			reason = tooLarge(key.demand, nodes)
			reasons[key.demand] = reason
		}
		if reason == "" {
			continue
		}
		c.unschedulable[a] = true
		c.report(rule, &a.occurrence, key.path, reason, func() string { return reason })
		c.findings[findingKey{rule, key.object, key.path, reason}].Count += a.count - 1
	}
}

// nodes returns the distinct sizes of nodes that pods must fit on, or a note why there are none.
func (c *Checker) nodes(tail *trace.Tail) (sizes []corev1.ResourceList, note string) {
	if c.opts.Node != nil {
		return []corev1.ResourceList{c.opts.Node.Resources}, ""
	}
	if tail == nil || tail.Extension == nil {
		return nil, "the trace has no nodes; describe one with --node-shape"
	}
	extension, err := trace.ParseExtension(tail.Extension)
	if err != nil {
		return nil, fmt.Sprintf("the nodes of the trace cannot be read: %v", err)
	}
	seen := map[string]bool{}
	for _, node := range extension.Nodes {
		has := node.Allocatable
		if len(has) == 0 {
			has = node.Capacity
		}
		size := corev1.ResourceList{}
		for name, text := range has {
			if q, ok := parseQuantity([]byte(text)); ok {
				size[corev1.ResourceName(name)] = q
			}
		}
		if text := sizeText(size); text != "" && !seen[text] {
			seen[text] = true
			sizes = append(sizes, size)
		}
	}
	if len(sizes) == 0 {
		note = "the trace has no nodes; describe one with --node-shape"
	}
	return sizes, note
}

func sizeText(size corev1.ResourceList) string {
	var parts []string
	for _, name := range sortedResources(size) {
		q := size[name]
		parts = append(parts, fmt.Sprintf("%s=%s", name, q.String()))
	}
	return strings.Join(parts, ",")
}

// tooLarge returns why a demand fits on no node, or "".
func tooLarge(d *demand, nodes []corev1.ResourceList) string {
	for _, size := range nodes {
		if fits(d.requests, size) {
			return ""
		}
	}
	var parts []string
	for _, name := range insufficient(d, nodes) {
		asked, most := d.requests[name], largest(name, nodes)
		parts = append(parts, fmt.Sprintf("%s of %s, and the largest node has %s", asked.String(), name, most.String()))
	}
	if len(parts) > 0 {
		return "the pod requests " + strings.Join(parts, "; ")
	}
	return "the pod requests " + sizeText(d.requests) + ", and no single node has all of it"
}

func fits(requests, size corev1.ResourceList) bool {
	for name, asked := range requests {
		have := size[name]
		if asked.Sign() > 0 && asked.Cmp(have) > 0 {
			return false
		}
	}
	return true
}

// insufficient returns the resources of which no node has enough.
func insufficient(d *demand, nodes []corev1.ResourceList) []corev1.ResourceName {
	var names []corev1.ResourceName
	for _, name := range sortedResources(d.requests) {
		asked := d.requests[name]
		if most := largest(name, nodes); asked.Sign() > 0 && asked.Cmp(most) > 0 {
			names = append(names, name)
		}
	}
	return names
}

func largest(name corev1.ResourceName, nodes []corev1.ResourceList) (most resource.Quantity) {
	for _, size := range nodes {
		if have := size[name]; have.Cmp(most) > 0 {
			most = have
		}
	}
	return most
}

// suggestNodes removes what does not fit from the requests, and from the limits, which are the
// default of the requests.
func suggestNodes(c *Checker, _ *Rule, p *program) {
	firstDemands := slices.SortedFunc(maps.Keys(c.unschedulable), func(a, b *firstDemand) int {
		return cmp.Or(
			compareTexts(trace.FormatGVK(a.gvk), trace.FormatGVK(b.gvk), a.key.name, b.key.name, a.template.prefix, b.template.prefix),
			cmp.Compare(a.event, b.event),
			compareTexts(a.template.path, b.template.path, sizeText(a.template.demand.requests), sizeText(b.template.demand.requests)),
		)
	})
	nodes, _ := c.nodes(p.tail)
	written := map[string]bool{}
	for _, a := range firstDemands {
		namespace, name := trace.SplitNamespacedName(a.key.name)
		if a.template.prefix == "" {
			p.comment("%s %s: SKEL cannot express the path of its pods.", a.key.kind.Kind, a.key.name)
			continue
		}
		d := a.template.demand
		names := insufficient(d, nodes)
		if len(names) == 0 {
			names = sortedResources(d.requests)
		}
		selector := objectSelector(a.gvk, namespace) + " && metadata.name == " + quote(name)
		for _, at := range d.places(a.template.prefix) {
			for _, resource := range names {
				if !isWritable(string(resource)) {
					continue
				}
				command := fmt.Sprintf("remove(%s, %s.%s);", selector, at, pathPart(string(resource)))
				if !written[command] {
					written[command] = true
					p.write(command)
				}
			}
		}
	}
}

// places returns the paths of the maps of quantities that make up a demand.
func (d *demand) places(prefix string) []string {
	var at []string
	for i, has := range d.lists {
		if has {
			list := prefix + "." + containerLists[i] + "[*].resources"
			at = append(at, list+".requests", list+".limits")
		}
	}
	if d.podLevel {
		at = append(at, prefix+".resources.requests", prefix+".resources.limits")
	}
	if d.overhead {
		at = append(at, prefix+".overhead")
	}
	return at
}
