package words

import "strings"

// And returns the items as a list: "a", "a and b", "a, b and c".
func And(items ...string) string { return list(items, " and ") }

// Or returns the items as a list: "a", "a or b", "a, b or c".
func Or(items ...string) string { return list(items, " or ") }

func list(items []string, conjunction string) string {
	last := len(items) - 1
	if last < 1 {
		return strings.Join(items, "")
	}
	return strings.Join(items[:last], ", ") + conjunction + items[last]
}

// First returns at most n items as a list, and how many were left out: "a, b and 4 more". If none
// were, it returns what And does.
func First(n int, items ...string) string {
	rest := len(items) - n
	if rest <= 0 {
		return And(items...)
	}
	return strings.Join(items[:n], ", ") + " and " + Number(rest) + " more"
}
