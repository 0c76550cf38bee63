package instancetypes

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"

	"simkube.io/simkube/internal/words"
)

// omissions collects what of a file is left out, and of which types.
type omissions struct {
	types map[string][]string
}

func (o *omissions) add(what, name string) {
	if o.types == nil {
		o.types = map[string][]string{}
	}
	if names := o.types[what]; len(names) == 0 || names[len(names)-1] != name {
		o.types[what] = append(o.types[what], name)
	}
}

// addUnknown notes fields that Karpenter does not read either.
func (o *omissions) addUnknown(name string, raw json.RawMessage) {
	var t map[string]json.RawMessage
	if json.Unmarshal(raw, &t) != nil {
		return
	}
	for key, value := range t {
		switch strings.ToLower(key) {
		case "name", "architecture", "operatingsystems", "resources":
		case "offerings":
			var offerings []map[string]json.RawMessage
			if json.Unmarshal(value, &offerings) != nil {
				continue
			}
			for _, offering := range offerings {
				for key := range offering {
					switch strings.ToLower(key) {
					case "price", "available", "reservationcapacity", "capacityoverride", "overheadoverride", "requirements", "zone", "capacitytype":
					default:
						o.add("unknown field "+key+" of offerings is left out", name)
					}
				}
			}
		default:
			o.add("unknown field "+key+" is left out", name)
		}
	}
}

// notes returns a sentence for each kind of omission.
func (o *omissions) notes() []string {
	var out []string
	for _, what := range slices.Sorted(maps.Keys(o.types)) {
		names := o.types[what]
		out = append(out, fmt.Sprintf("%s (%s: %s)", what, words.Count(len(names), "type"), words.First(3, names...)))
	}
	return out
}
