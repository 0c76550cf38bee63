package karpenter

import (
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/resource"
	v1 "sigs.k8s.io/karpenter/pkg/apis/v1"
	"sigs.k8s.io/karpenter/pkg/cloudprovider"
	"sigs.k8s.io/karpenter/pkg/scheduling"
	"sigs.k8s.io/karpenter/pkg/utils/resources"

	"simkube.io/simkube/internal/instancetypes"
	"simkube.io/simkube/internal/words"
)

// Check compares the pools and node classes with the instance types. The warnings are about pools
// that launch no nodes and about names that no instance type has. If no pool can launch a node,
// that is an error, with the reasons. What is invalid is left to the API server.
func (p *Pools) Check(list *instancetypes.List) (warnings []string, err error) {
	types, err := convertTypes(list)
	if err != nil {
		return nil, err
	}
	useful := 0
	classes := p.classes()
	for _, o := range p.objects {
		var found []string
		switch o.resource {
		case poolResource:
			pool := &v1.NodePool{}
			if decode(o, pool) != nil {
				useful++
				continue
			}
			var launches bool
			if launches, found = checkPool(pool, classes, types); launches {
				useful++
			}
		case nodeClassResource:
			class := &NodeClass{}
			if decode(o, class) == nil {
				found = checkClass(class, types)
			}
		}
		for _, text := range found {
			warnings = append(warnings, fmt.Sprintf("%s: %s", o.where, text))
		}
	}
	if useful == 0 {
		return nil, fmt.Errorf("no node pool can launch a node:\n%w", errors.New(strings.Join(warnings, "\n")))
	}
	return warnings, nil
}

// classes returns the node classes that can be decoded, by name.
func (p *Pools) classes() map[string]*NodeClass {
	out := map[string]*NodeClass{}
	for _, o := range p.objects {
		class := &NodeClass{}
		if o.resource == nodeClassResource && decode(o, class) == nil {
			out[class.Name] = class
		}
	}
	return out
}

func decode(o poolObject, into any) error {
	data, err := o.object.MarshalJSON()
	if err != nil {
		return err
	}
	return json.Unmarshal(data, into)
}

// checkPool reports whether a pool can launch nodes, and what is strange about it.
func checkPool(pool *v1.NodePool, classes map[string]*NodeClass, types []*cloudprovider.InstanceType) (bool, []string) {
	requirements := required(pool)
	allowed := allowedTypes(requirements, types)
	warnings := unknownValues(pool, types)
	warn := func(format string, args ...any) []string {
		return append(warnings, "NodePool "+pool.Name+" "+fmt.Sprintf(format, args...))
	}
	if len(allowed) == 0 {
		return false, warn("allows none of the %s: %s", words.Count(len(types), "instance type"), whatExcludes(requirements, types))
	}
	if text := exceeded(pool.Spec.Limits, allowed); text != "" {
		return false, warn("%s: it launches no node", text)
	}
	if _, short, err := cloudprovider.InstanceTypes(allowed).SatisfiesMinValues(requirements); err != nil {
		return false, warn("allows %s, too few for its minValues: %s", words.Count(len(allowed), "instance type"), tooFewValues(short, requirements))
	}
	if class := classes[pool.Spec.Template.Spec.NodeClassRef.Name]; class != nil && !everAvailable(class, requirements, allowed) {
		return true, warn("launches no node: by the shortages of its node class %s, there is never capacity for an instance that it allows", class.Name)
	}
	return true, warnings
}

// allowedTypes returns the types with an offering that meets requirements.
func allowedTypes(requirements scheduling.Requirements, types []*cloudprovider.InstanceType) []*cloudprovider.InstanceType {
	var out []*cloudprovider.InstanceType
	for _, t := range types {
		if t.Requirements.Intersects(requirements) == nil && t.Offerings.Available().HasCompatible(requirements) {
			out = append(out, t)
		}
	}
	return out
}

// whatExcludes says why a pool allows none of the types: which requirements exclude all of them.
func whatExcludes(requirements scheduling.Requirements, types []*cloudprovider.InstanceType) string {
	// What is left once no requirement can be left out is needed, each of them.
	needed := maps.Clone(requirements)
	for _, key := range slices.Sorted(maps.Keys(requirements)) {
		r := needed[key]
		delete(needed, key)
		if len(allowedTypes(needed, types)) > 0 {
			needed[key] = r
		}
	}
	var texts []string
	for _, key := range slices.Sorted(maps.Keys(needed)) {
		texts = append(texts, needed[key].String())
	}
	switch len(texts) {
	case 0:
		return "none is available"
	case 1:
		return "none that is available meets the requirement " + texts[0]
	}
	return "none that is available meets the requirements " + words.And(texts...) + " together"
}

// exceeded says which limit of a pool each of the types exceeds, or returns "". Karpenter compares
// limits with the capacity of nodes.
func exceeded(limits v1.Limits, types []*cloudprovider.InstanceType) string {
	within := types
	for _, name := range slices.Sorted(maps.Keys(limits)) {
		limit := limits[name]
		exceeds := func(t *cloudprovider.InstanceType) bool {
			capacity := t.Capacity[name]
			if name == resources.Node {
				capacity = resource.MustParse("1")
			}
			return capacity.Cmp(limit) > 0
		}
		text := fmt.Sprintf("has a limit of %s for %s", limit.String(), name)
		if !slices.ContainsFunc(types, func(t *cloudprovider.InstanceType) bool { return !exceeds(t) }) {
			if limit.IsZero() {
				return text
			}
			return fmt.Sprintf("%s, and each of the %s that it allows has more", text, words.Count(len(types), "instance type"))
		}
		within = slices.DeleteFunc(slices.Clone(within), exceeds)
	}
	if len(within) == 0 {
		return "has limits of which each instance type that it allows exceeds one"
	}
	return ""
}

// tooFewValues says which labels have fewer values than required. found is how many there are, by
// label.
func tooFewValues(found map[string]int, requirements scheduling.Requirements) string {
	var texts []string
	for _, key := range slices.Sorted(maps.Keys(found)) {
		texts = append(texts, fmt.Sprintf("they have %s of %s, and %d must be possible",
			words.Count(found[key], "value"), key, *requirements.Get(key).MinValues))
	}
	return words.And(texts...)
}

// everAvailable reports whether there is capacity at any time for an instance of the types that
// meets the requirements.
func everAvailable(class *NodeClass, requirements scheduling.Requirements, types []*cloudprovider.InstanceType) bool {
	for _, t := range types {
		for _, o := range t.Offerings.Available().Compatible(requirements) {
			always := slices.ContainsFunc(class.Spec.Shortages, func(s Shortage) bool {
				return s.From.Duration <= 0 && s.Until.Duration == 0 && s.selects(offer{t, o})
			})
			if !always {
				return true
			}
		}
	}
	return false
}

// maxNames is how many names a warning lists.
const maxNames = 5

// unknownValues returns a warning for each requirement of a pool that lists values of a label of
// instance types that none of them has.
func unknownValues(pool *v1.NodePool, types []*cloudprovider.InstanceType) []string {
	known := valuesOf(types)
	var out []string
	for _, r := range pool.Spec.Template.Spec.Requirements {
		if known[r.Key] == nil || r.Operator != corev1.NodeSelectorOpIn && r.Operator != corev1.NodeSelectorOpNotIn {
			continue
		}
		if text := unknown(r.Key, r.Values, known[r.Key]); text != "" {
			out = append(out, fmt.Sprintf("NodePool %s: %s", pool.Name, text))
		}
	}
	return out
}

// valuesOf returns the values of the labels that types have, by label.
func valuesOf(types []*cloudprovider.InstanceType) map[string]map[string]bool {
	out := map[string]map[string]bool{}
	for _, t := range types {
		for key, r := range t.Requirements {
			if out[key] == nil {
				out[key] = map[string]bool{}
			}
			for _, value := range r.Values() {
				out[key][value] = true
			}
		}
	}
	return out
}

// unknown returns a sentence about the values of a label that no instance type has, or "". It says
// what may be meant, or what there is.
func unknown(key string, values []string, known map[string]bool) string {
	var names []string
	for _, value := range values {
		if !known[value] {
			names = append(names, value)
		}
	}
	if len(names) == 0 {
		return ""
	}
	there := slices.Sorted(maps.Keys(known))
	text := fmt.Sprintf("no instance type has the %s %s", key, words.Or(names...))
	var near []string
	for _, name := range names {
		near = append(near, words.Nearest(name, there...)...)
	}
	if near = unique(near); len(near) > 0 && len(near) <= maxNames {
		return fmt.Sprintf("%s: did you mean %s?", text, words.Or(near...))
	}
	return fmt.Sprintf("%s; there is %s", text, words.First(maxNames, there...))
}

// checkClass returns warnings about selectors of a node class that select nothing.
func checkClass(class *NodeClass, types []*cloudprovider.InstanceType) []string {
	known := valuesOf(types)
	var out []string
	check := func(field string, s InstanceSelector) {
		before := len(out)
		for _, list := range []struct {
			key    string
			values []string
		}{
			{corev1.LabelInstanceTypeStable, s.InstanceTypes}, {corev1.LabelTopologyZone, s.Zones}, {v1.CapacityTypeLabelKey, s.CapacityTypes},
		} {
			if text := unknown(list.key, list.values, known[list.key]); text != "" {
				out = append(out, fmt.Sprintf("NodeClass %s, %s: %s", class.Name, field, text))
			}
		}
		if len(out) == before && !selectsAny(s, types) {
			out = append(out, fmt.Sprintf("NodeClass %s, %s: no instance type has an offering with these instanceTypes, zones and capacityTypes", class.Name, field))
		}
	}
	for i, s := range class.Spec.Shortages {
		check(fmt.Sprintf("shortages[%d]", i), s.InstanceSelector)
	}
	for i, s := range class.Spec.Interruptions {
		check(fmt.Sprintf("interruptions[%d]", i), s.InstanceSelector)
	}
	return out
}

// selectsAny reports whether a selector selects an offering of the types.
func selectsAny(s InstanceSelector, types []*cloudprovider.InstanceType) bool {
	return slices.ContainsFunc(types, func(t *cloudprovider.InstanceType) bool {
		return slices.ContainsFunc(t.Offerings, func(o *cloudprovider.Offering) bool { return s.selects(offer{t, o}) })
	})
}
