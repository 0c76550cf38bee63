package syntax

import (
	"errors"
	"strings"
	"testing"
)

func TestParseQuantity(t *testing.T) {
	for _, s := range []string{"0", "500m", "-1.5", "1Gi", "+2k", "1e3", "1E-999", "1e0003", "12E", strings.Repeat("9", 100)} {
		if _, err := ParseQuantity(s); err != nil {
			t.Errorf("%q: %v", s, err)
		}
	}
	for _, s := range []string{"", "abc", "1x", "1 Gi", "e"} {
		if _, err := ParseQuantity(s); err == nil || errors.Is(err, errQuantityTooLong) {
			t.Errorf("%q: got %v, want the mistake that Kubernetes finds", s, err)
		}
	}
	for _, s := range []string{"1e1000", "1e999999999999", "1E-00099999", "1e+99999999", strings.Repeat("9", 101)} {
		if _, err := ParseQuantity(s); !errors.Is(err, errQuantityTooLong) {
			t.Errorf("%q: got %v, want that it is too long", s, err)
		}
	}
}
