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

// A quantity that somebody means is no longer, and has an exponent of two digits at most, such as
// "e18". To compare others, or even to read them, can take for ever, as all their digits are
// written out.
const (
	maxQuantityText   = 64
	maxExponentDigits = 2
)

// maxShown is how many bytes of a quantity an error quotes.
const maxShown = 40

// errAbsurd is returned for a quantity that must not be read.
var errAbsurd = errors.New("its exponent or its length is absurd: no node has such an amount")

// IsQuantity reports whether a text may be given to Kubernetes' own parser of quantities, which
// need not accept it.
func IsQuantity(text string) bool {
	if len(text) > maxQuantityText {
		return false
	}
	at := strings.IndexAny(text, "eE")
	return at < 0 || len(strings.TrimLeft(text[at+1:], "+-0")) <= maxExponentDigits
}

// ParseQuantity parses a quantity, unless it is so absurd that parsing or using it would take for
// ever.
func ParseQuantity(text string) (resource.Quantity, error) {
	if !IsQuantity(text) {
		return resource.Quantity{}, errAbsurd
	}
	return resource.ParseQuantity(text)
}

// checkNodeQuantities returns an error for the manifest of a node that must not be decoded, since
// that would parse its quantities.
func checkNodeQuantities(manifest []byte) error {
	var node struct {
		Status struct {
			Capacity    map[corev1.ResourceName]json.RawMessage `json:"capacity"`
			Allocatable map[corev1.ResourceName]json.RawMessage `json:"allocatable"`
		} `json:"status"`
	}
	if err := json.Unmarshal(manifest, &node); err != nil {
		return nil //nolint:nilerr // whoever decodes it says what is wrong
	}
	var problems []error
	for field, list := range map[string]map[corev1.ResourceName]json.RawMessage{"capacity": node.Status.Capacity, "allocatable": node.Status.Allocatable} {
		for name, value := range list {
			text := strings.Trim(string(value), `"`)
			if !IsQuantity(text) {
				problems = append(problems, fmt.Errorf("status.%s.%s %q: %w", field, name, words.ClipBytes(text, maxShown), errAbsurd))
			}
		}
	}
	return errors.Join(problems...)
}
