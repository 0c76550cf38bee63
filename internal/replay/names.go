package replay

import (
	"fmt"
	"strings"

	"k8s.io/apimachinery/pkg/api/validate/content"
)

// checkNames returns an error if a namespace or a name cannot be a segment of a path. The metadata
// client joins them into a URL as they are, so that one with a slash or two dots would reach
// another object, of any kind and in any namespace. Both may be empty.
func checkNames(namespace, name string) error {
	if problems := content.IsPathSegmentName(namespace); len(problems) > 0 {
		return fmt.Errorf("invalid namespace %q: %s", namespace, strings.Join(problems, ", "))
	}
	if problems := content.IsPathSegmentName(name); len(problems) > 0 {
		return fmt.Errorf("invalid name %q: %s", name, strings.Join(problems, ", "))
	}
	return nil
}
