package rbac

import (
	"cmp"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"sigs.k8s.io/yaml"
)

// Role says what a tracer's ClusterRole allows.
type Role struct {
	Name string
	// Made says how the file was made; it stands at its top.
	Made string
	// Resources are what may be read: got, listed and watched.
	Resources []Resource
	// Reviews lets the tracer ask who the bearer of a token is, and what they may do.
	Reviews bool
}

// YAML writes the ClusterRole as a manifest, always the same for the same role.
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

// scalar writes a text so that YAML reads it as that text.
func scalar(text string) string {
	data, err := yaml.Marshal(text)
	if err != nil {
		return strconv.Quote(text)
	}
	return strings.TrimSuffix(string(data), "\n")
}
