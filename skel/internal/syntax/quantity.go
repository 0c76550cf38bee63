package syntax

import (
	"errors"
	"regexp"

	"k8s.io/apimachinery/pkg/api/resource"
)

// errQuantityTooLong is returned for a string that would be a quantity of more digits than any resource has.
var errQuantityTooLong = errors.New("a quantity has at most 100 characters, and an exponent of at most three digits")

const maxQuantity = 100

var longExponent = regexp.MustCompile(`[eE][-+]?0*[1-9][0-9]{3}`)

// ParseQuantity reads a Kubernetes quantity. In contrast to the function of Kubernetes it refuses 1e999999999, of which that would
// write out all digits: programs and traces come from anywhere.
func ParseQuantity(s string) (resource.Quantity, error) {
	if len(s) > maxQuantity || longExponent.MatchString(s) {
		return resource.Quantity{}, errQuantityTooLong
	}
	return resource.ParseQuantity(s)
}
