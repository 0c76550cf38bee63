package nodes

import (
	"encoding/json"
	"errors"
	"fmt"
	"strings"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/resource"

	"simkube.io/simkube/internal/words"
)

// Limits of the quantities that are parsed. A real quantity is shorter, and its exponent, such as
// "e18", has at most two digits. Parsing or comparing larger ones can take practically forever,
// because all their digits are written out.
const (
	maxQuantityText   = 64
	maxExponentDigits = 2
)

// maxShown is the number of bytes of a quantity that an error quotes.
const maxShown = 40

// errOutOfRange is returned for a quantity that exceeds the limits.
var errOutOfRange = errors.New("quantity out of range: its exponent or its text is too long")

// IsQuantity reports whether a text is within the limits for quantities, so that it can be passed
// to the parser of Kubernetes, which may still reject it.
func IsQuantity(text string) bool {
	if len(text) > maxQuantityText {
		return false
	}
	at := strings.IndexAny(text, "eE")
	return at < 0 || len(strings.TrimLeft(text[at+1:], "+-0")) <= maxExponentDigits
}

// ParseQuantity parses a quantity. It returns an error, without parsing, for a text for which
// [IsQuantity] is false.
func ParseQuantity(text string) (resource.Quantity, error) {
	if !IsQuantity(text) {
		return resource.Quantity{}, errOutOfRange
	}
	return resource.ParseQuantity(text)
}

// checkNodeQuantities returns an error if decoding the manifest of a node would parse a quantity
// that exceeds the limits.
func checkNodeQuantities(manifest []byte) error {
	var node struct {
		Status struct {
			Capacity    map[corev1.ResourceName]json.RawMessage `json:"capacity"`
			Allocatable map[corev1.ResourceName]json.RawMessage `json:"allocatable"`
		} `json:"status"`
	}
	if err := json.Unmarshal(manifest, &node); err != nil {
		return nil //nolint:nilerr // decoding the manifest reports the error
	}
	var problems []error
	for field, list := range map[string]map[corev1.ResourceName]json.RawMessage{"capacity": node.Status.Capacity, "allocatable": node.Status.Allocatable} {
		for name, value := range list {
			text := strings.Trim(string(value), `"`)
			if !IsQuantity(text) {
				problems = append(problems, fmt.Errorf("status.%s.%s %q: %w", field, name, words.ClipBytes(text, maxShown), errOutOfRange))
			}
		}
	}
	return errors.Join(problems...)
}
