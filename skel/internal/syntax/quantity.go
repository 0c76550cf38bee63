package syntax

import (
	"errors"
	"regexp"

	"k8s.io/apimachinery/pkg/api/resource"
)

// errQuantityTooLong is returned for a quantity with more digits than any resource has.
var errQuantityTooLong = errors.New("a quantity has at most 100 characters, and an exponent of at most three digits")

const maxQuantity = 100

var longExponent = regexp.MustCompile(`[eE][-+]?0*[1-9][0-9]{3}`)

// ParseQuantity parses a Kubernetes quantity. Unlike the function of Kubernetes, it rejects
// 1e999999999, which that function would expand to all of its digits: programs and traces are
// untrusted.
func ParseQuantity(s string) (resource.Quantity, error) {
	if len(s) > maxQuantity || longExponent.MatchString(s) {
		return resource.Quantity{}, errQuantityTooLong
	}
	return resource.ParseQuantity(s)
}
