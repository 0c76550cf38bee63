package instancetypes

import (
	"errors"
	"regexp"

	"k8s.io/apimachinery/pkg/api/resource"
)

// longQuantity matches quantities that resource.ParseQuantity, or comparing its result, takes hours
// for: those with a large exponent.
var longQuantity = regexp.MustCompile(`[eE][-+]?0*[1-9]\d\d|^.{100}`)

// ParseQuantity returns a quantity of 0 or more, such as 4, 500m or 16Gi.
func ParseQuantity(text string) (resource.Quantity, error) {
	if !longQuantity.MatchString(text) {
		if q, err := resource.ParseQuantity(text); err == nil && q.Sign() >= 0 {
			return q, nil
		}
	}
	return resource.Quantity{}, errors.New("must be a quantity of 0 or more, such as 4, 500m or 16Gi")
}
