package results

import (
	"fmt"
	"strings"

	"simkube.io/simkube/internal/words"
)

// decisions writes what the autoscaler decided, in counts.
func (t *textWriter) decisions(s *Summary) {
	var parts []part
	for _, c := range s.Timing.Decisions {
		if text := c.text(); text != "" {
			parts = append(parts, plain("%s", text))
		}
	}
	if len(parts) > 0 {
		t.line("scaling", parts...)
	}
}

// text returns the count as a piece of a sentence. Decisions to keep a node have none: there are
// many, and nothing happened.
func (c DecisionCount) text() string {
	reason := strings.ToLower(c.Reason)
	if reason != "" {
		reason = " " + reason
	}
	switch c.Decision {
	case Launched:
		if c.Reason == reasonReplacement {
			return words.Count(c.Nodes, "replacement") + " launched"
		}
		return words.Count(c.Nodes, "node") + " launched"
	case Removed, Replaced:
		text := fmt.Sprintf("%s %s", words.Count(c.Nodes, strings.TrimSpace(reason+" node")), c.Decision)
		if c.SavedPerHour > 0 {
			text += fmt.Sprintf(" (%s an hour less)", FormatDollars(c.SavedPerHour))
		}
		return text
	case Interrupted:
		return words.Count(c.Nodes, "node") + " interrupted"
	case NoNode:
		return "no node found for a pod: " + words.Times(c.Count)
	case NoCapacity:
		return words.Count(c.Count, "node") + " not launched for lack of capacity"
	}
	return ""
}
