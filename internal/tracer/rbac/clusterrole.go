package rbac

import (
	"cmp"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"sigs.k8s.io/yaml"
)

// Role is the content of a tracer's ClusterRole.
type Role struct {
	Name string
	// Made is a comment at the top of the file on how it was generated.
	Made string
	// Resources are the resources to get, list and watch.
	Resources []Resource
	// Reviews allows creating token reviews and subject access reviews.
	Reviews bool
}

// YAML returns the ClusterRole as a manifest. The result is deterministic.
func (r Role) YAML() string {
	var b strings.Builder
	if r.Made != "" {
		fmt.Fprintf(&b, "# %s\n", strings.Join(strings.Fields(r.Made), " "))
	}
	fmt.Fprintf(&b, "apiVersion: rbac.authorization.k8s.io/v1\nkind: ClusterRole\nmetadata:\n  name: %s\nrules:", scalar(r.Name))
	resources := slices.Clone(r.Resources)
	slices.SortFunc(resources, func(a, b Resource) int {
		return cmp.Or(cmp.Compare(a.Group, b.Group), cmp.Compare(a.Name, b.Name))
	})
	// Two versions of a kind are one resource.
	resources = slices.CompactFunc(resources, func(a, b Resource) bool { return a.Group == b.Group && a.Name == b.Name })
	if len(resources) == 0 && !r.Reviews {
		b.WriteString(" []\n")
		return b.String()
	}
	b.WriteString("\n")
	for len(resources) > 0 {
		n := slices.IndexFunc(resources, func(other Resource) bool { return other.Group != resources[0].Group })
		if n < 0 {
			n = len(resources)
		}
		for _, guessed := range resources[:n] {
			if guessed.Guess != "" {
				fmt.Fprintf(&b, "  # %s is a guess at the resource of %s: see kubectl api-resources, or use --discover\n", guessed.Name, guessed.Guess)
			}
		}
		writeRule(&b, resources[:n], "get, list, watch")
		resources = resources[n:]
	}
	if r.Reviews {
		writeRule(&b, []Resource{{Group: "authentication.k8s.io", Name: "tokenreviews"}}, "create")
		writeRule(&b, []Resource{{Group: "authorization.k8s.io", Name: "subjectaccessreviews"}}, "create")
	}
	return b.String()
}

// writeRule writes a rule about resources of one group.
func writeRule(b *strings.Builder, resources []Resource, verbs string) {
	group := resources[0].Group
	if group == "" {
		group = `""`
	}
	names := make([]string, len(resources))
	for i, r := range resources {
		names[i] = r.Name
	}
	fmt.Fprintf(b, "  - apiGroups: [%s]\n    resources: [%s]\n    verbs: [%s]\n", group, strings.Join(names, ", "), verbs)
}

// scalar returns a text as a YAML scalar.
func scalar(text string) string {
	data, err := yaml.Marshal(text)
	if err != nil {
		return strconv.Quote(text)
	}
	return strings.TrimSuffix(string(data), "\n")
}
