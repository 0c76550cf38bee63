package results

import "strings"

// unknownKind is the category of objects of kinds that the cluster does not have.
const unknownKind = "unknownKind"

// problemDeviations returns the deviations that problems are: one for each object and category, or
// for each kind that the cluster does not have.
func problemDeviations(problems []Problem) []Deviation {
	type key struct{ category, object string }
	index := map[key]int{}
	var out []Deviation
	for _, p := range problems {
		object := p.Object
		if p.Category == unknownKind {
			object, _, _ = strings.Cut(object, " ")
		}
		k := key{p.Category, object}
		if i, ok := index[k]; ok {
			out[i].Count++
			continue
		}
		index[k] = len(out)
		out = append(out, Deviation{
			Category: p.Category, Object: object, Count: 1, Reason: p.Message, Action: problemActions[p.Category],
		})
	}
	return out
}

// problemActions are what can be done about problems, by category.
var problemActions = map[string]string{
	unknownKind:      "add the definition of the kind with --crds, or record it",
	"rejected":       "change the object with --skel until the API server accepts it",
	"immutable":      "delete the object and create it again in the trace",
	"notOurs":        "give the object another name with --skel, or remove the other one from the cluster",
	"leftOut":        "nothing, unless the simulation depends on it: then use skctl simulate, which has a cluster of its own",
	"malformed":      "correct the object with --skel; skctl validate shows what is wrong",
	"other":          "look for the cause in the log, and run the simulation again",
	"absentOnDelete": "nothing, if something in the cluster deletes it, as it did when it was recorded",
}
