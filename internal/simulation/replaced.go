package simulation

import (
	"fmt"
	"slices"
	"strings"

	"k8s.io/apimachinery/pkg/runtime/schema"

	"simkube.io/simkube/trace"
)

// replacedNote says which objects the replay deleted and created again by itself.
func replacedNote(replaced map[schema.GroupVersionKind]int) string {
	parts := make([]string, 0, len(replaced))
	for gvk, n := range replaced {
		parts = append(parts, fmt.Sprintf("%d %s", n, trace.FormatGVK(gvk)))
	}
	slices.Sort(parts)
	return "deleted and created again, because fields had changed that cannot be changed: " + strings.Join(parts, ", ")
}
