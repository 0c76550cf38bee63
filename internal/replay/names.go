package replay

import (
	"fmt"
	"strings"

	"k8s.io/apimachinery/pkg/api/validate/content"
)

// checkNames returns an error if a namespace or a name is not a path segment. The metadata client
// joins them into a URL without checks, so a name with a slash or with two dots would refer to
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
