package results

import (
	"encoding/json"
	"maps"
	"regexp"
	"slices"
	"strings"

	"simkube.io/simkube/internal/words"
)

const (
	// maxNoNode is about how many characters of an autoscaler's reason a deviation has, and
	// maxRequirements how many of them are requirements of one pool.
	maxNoNode       = 300
	maxRequirements = 100
)

// noPool is Karpenter's message if it leaves out all pools.
const noPool = "nodepool requirements filtered out all available instance types"

// lackOfCapacity is what a reason says of a pool whose instances the cloud did not have.
const lackOfCapacity = "nodes were not launched for lack of capacity"

// poolReason is what pools have in common about a pod.
type poolReason struct {
	text  string
	pools []string
}

// lacks returns 1 for a lack of capacity, and 0 for other reasons.
func (p poolReason) lacks() int {
	if strings.HasPrefix(p.text, lackOfCapacity) {
		return 1
	}
	return 0
}

func (p poolReason) String() string {
	switch len(p.pools) {
	case 0:
		return p.text
	case 1:
		return "NodePool " + p.pools[0] + ": " + p.text
	}
	return "NodePools " + words.And(p.pools...) + ": " + p.text
}

// short returns the reason without what decisions.parquet has, or "" if there is none. Karpenter's
// message has one part for each pool.
func (n *noNodeReason) short() string {
	var all []poolReason
	add := func(pool, text string) {
		i := slices.IndexFunc(all, func(p poolReason) bool { return p.text == text })
		if i < 0 {
			i = len(all)
			all = append(all, poolReason{text: text})
		}
		if pool != "" && !slices.Contains(all[i].pools, pool) {
			all[i].pools = append(all[i].pools, pool)
		}
	}
	var named []string
	for part := range strings.SplitSeq(n.message, "; ") {
		if part == "" {
			continue
		}
		pool, text := shortPart(part)
		named = append(named, pool)
		if pool != "" && (slices.Contains(n.lacking, pool) || slices.Contains(n.meant, pool)) {
			text = lackOfCapacity + "; " + text
		}
		add(pool, text)
	}
	// Pools that the message does not name count if they are why.
	lacking := n.meant
	if n.message == noPool {
		lacking = n.lacking
	}
	for _, pool := range slices.Sorted(slices.Values(lacking)) {
		if !slices.Contains(named, pool) {
			add(pool, lackOfCapacity)
		}
	}
	// It is what the message leaves out, and can change.
	slices.SortStableFunc(all, func(a, b poolReason) int { return b.lacks() - a.lacks() })
	return joinReasons(all)
}

// joinReasons returns as many reasons as fit, and how many do not.
func joinReasons(all []poolReason) string {
	out := ""
	for i, p := range all {
		text := p.String()
		if i > 0 {
			text = "; " + text
			if len(out)+len(text) > maxNoNode {
				return out + "; and " + words.Count(len(all)-i, "more reason")
			}
		}
		out += words.Clip(text, maxNoNode)
	}
	return out
}

var (
	poolRequirement = regexp.MustCompile(`karpenter\.sh/nodepool In \[([^\]]*)\]`)
	poolValue       = regexp.MustCompile(` \(NodePool=([^,)]*)\)`)
)

// shortPart returns what Karpenter says of one pool, and the pool if it names it.
func shortPart(part string) (pool, text string) {
	for _, name := range []*regexp.Regexp{poolRequirement, poolValue} {
		if found := name.FindStringSubmatch(part); found != nil {
			pool = found[1]
		}
	}
	text, rest, _ := strings.Cut(poolValue.ReplaceAllString(part, ""), ", requirements=")
	requirements, resources, _ := strings.Cut(rest, ", resources=")
	var details []string
	if strings.Contains(text, "requirement") || strings.Contains(text, "offering") {
		details = append(details, shortRequirements(requirements))
	}
	if strings.Contains(text, "resources") {
		details = append(details, shortResources(resources))
	}
	details = slices.DeleteFunc(details, func(s string) bool { return s == "" })
	if len(details) > 0 {
		text += " (" + strings.Join(details, "; ") + ")"
	}
	return pool, text
}

// shortRequirements returns a list of requirements without those that all nodes of a pool meet.
func shortRequirements(list string) string {
	var out []string
	for r := range strings.SplitSeq(list, ", ") {
		switch key, _, _ := strings.Cut(r, " "); key {
		case "", "karpenter.sh/nodepool", "karpenter.sh/initialized", "karpenter.sh/registered", "simkube.io/nodeclass":
			continue
		}
		out = append(out, r)
	}
	return words.Clip(strings.Join(out, ", "), maxRequirements)
}

// shortResources returns resources as "cpu 1, memory 1Gi". They are a JSON object, or two: without
// DaemonSets, and with those of the type that has most of them.
func shortResources(text string) string {
	if _, most, ok := strings.Cut(text, ", max="); ok {
		text = most
	}
	quantities := map[string]string{}
	decoder := json.NewDecoder(strings.NewReader(text))
	if decoder.Decode(&quantities) != nil {
		return text
	}
	var out []string
	for _, name := range slices.Sorted(maps.Keys(quantities)) {
		if name != "pods" {
			out = append(out, name+" "+quantities[name])
		}
	}
	// What follows is a hint of Karpenter.
	return strings.Join(out, ", ") + text[decoder.InputOffset():]
}
