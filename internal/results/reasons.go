package results

import (
	"cmp"
	"regexp"
	"slices"
	"strconv"
	"strings"
)

var (
	nodesAvailable = regexp.MustCompile(`^\d+/\d+ nodes are available: ?`)
	reasonCount    = regexp.MustCompile(`(?:^|, )\d+ `)
	quoted         = regexp.MustCompile(`"[^"]*"`)
	number         = regexp.MustCompile(`\b\d+\b`)
)

// WaitClasses returns the classes of a scheduler message, sorted: the reasons in it, without what
// differs between pods and over time (numbers of nodes, quoted names, and the result of
// preemption). The classes of "0/5 nodes are available: 2 node(s) had untolerated taint(s), 3
// Insufficient cpu. ..." are "Insufficient cpu" and "had untolerated taint(s)". An empty message
// has no class.
func WaitClasses(message string) []string {
	message = strings.TrimSpace(message)
	if message == "" {
		return nil
	}
	head := nodesAvailable.FindString(message)
	if head == "" {
		return []string{number.ReplaceAllString(quoted.ReplaceAllString(firstSentence(message), `"…"`), "N")}
	}
	body := firstSentence(message[len(head):])
	if body == "" {
		return []string{"no nodes available"}
	}
	var classes []string
	for _, reason := range splitReasons(body) {
		classes = append(classes, classOf(reason.text))
	}
	slices.Sort(classes)
	return slices.Compact(classes)
}

func classOf(reason string) string {
	return quoted.ReplaceAllString(strings.TrimPrefix(reason, "node(s) "), `"…"`)
}

// mainClass returns the class in a message that ruled out the most nodes. The others often only
// name nodes that the pod was not meant for.
func mainClass(message string) string {
	message = strings.TrimSpace(message)
	head := nodesAvailable.FindString(message)
	if body := firstSentence(message[len(head):]); head != "" && body != "" {
		reasons := splitReasons(body)
		return classOf(slices.MaxFunc(reasons, func(a, b reason) int {
			return cmp.Or(cmp.Compare(a.nodes, b.nodes), strings.Compare(b.text, a.text))
		}).text)
	}
	if classes := WaitClasses(message); len(classes) > 0 {
		return classes[0]
	}
	return ""
}

// reason is a part of a message, with the number of nodes that it applies to.
type reason struct {
	text  string
	nodes int
}

// firstSentence returns s up to ". ". Names in a message have dots in them, but no space after a
// dot.
func firstSentence(s string) string {
	s, _, _ = strings.Cut(s, ". ")
	return strings.TrimSuffix(strings.TrimSpace(s), ".")
}

// splitReasons splits "3 Insufficient cpu, 2 node(s) had ..." at its counts, because a reason may
// contain commas. A body without counts is one reason.
func splitReasons(body string) []reason {
	at := reasonCount.FindAllStringIndex(body, -1)
	if len(at) == 0 || at[0][0] != 0 {
		return []reason{{text: body}}
	}
	var reasons []reason
	for i, m := range at {
		end := len(body)
		if i+1 < len(at) {
			end = at[i+1][0]
		}
		// A number too large for an int is not a count of nodes; it counts as 0, and ranks last.
		nodes, _ := strconv.Atoi(strings.Trim(body[m[0]:m[1]], ", "))
		reasons = append(reasons, reason{text: body[m[1]:end], nodes: nodes})
	}
	return reasons
}

// classTable numbers wait classes, so that the classes of a pod fit in one word.
type classTable struct {
	names []string
	index map[string]int
}

// maxClasses is the number of classes; the last one stands for all others.
const maxClasses = 64

const otherClass = "other reasons"

func (t *classTable) mask(message string) uint64 {
	var mask uint64
	for _, class := range WaitClasses(message) {
		i, ok := t.index[class]
		if !ok {
			if len(t.names) >= maxClasses-1 {
				class = otherClass
			}
			if i, ok = t.index[class]; !ok {
				i = len(t.names)
				t.names = append(t.names, class)
				t.index[class] = i
			}
		}
		mask |= 1 << i
	}
	return mask
}

// classes returns the names in a mask, sorted.
func (t *classTable) classes(mask uint64) []string {
	var names []string
	for i, name := range t.names {
		if mask&(1<<i) != 0 {
			names = append(names, name)
		}
	}
	slices.Sort(names)
	return names
}
