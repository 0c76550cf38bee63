// Package timespec parses the times and durations in command lines and manifests.
package timespec

import (
	"errors"
	"fmt"
	"math"
	"strings"
	"time"
)

// AcceptedDurations lists what ParseDuration accepts, for help texts.
const AcceptedDurations = "90s, 5m, +5m, 1h30m, 2d, 250ms"

// ErrDuration is wrapped by every error of ParseDuration.
var ErrDuration = errors.New("not a duration")

type unit struct {
	name string
	size time.Duration
}

// units are sorted from the largest to the smallest, the order in which they may be combined. A
// longer name comes before its prefix.
var units = []unit{
	{"d", 24 * time.Hour},
	{"h", time.Hour},
	{"ms", time.Millisecond},
	{"m", time.Minute},
	{"s", time.Second},
}

// ParseDuration parses a non-negative duration: integers with the units d, h, m, s and ms, from the
// largest to the smallest, each at most once ("1d12h"), with an optional leading plus. A day is 24
// hours. Any other text is an error that wraps ErrDuration and lists what is accepted.
func ParseDuration(s string) (time.Duration, error) {
	rest := strings.TrimPrefix(s, "+")
	if rest == "" {
		return 0, durationError(s, "is empty")
	}
	var total time.Duration
	last := time.Duration(math.MaxInt64)
	for rest != "" {
		digits := len(rest) - len(strings.TrimLeft(rest, "0123456789"))
		if digits == 0 {
			return 0, durationError(s, "must have an integer at "+quoteStart(rest))
		}
		number := rest[:digits]
		rest = rest[digits:]
		u, ok := cutUnit(&rest)
		if !ok {
			if rest == "" {
				return 0, durationError(s, "has no unit after "+number)
			}
			return 0, durationError(s, "has no unit at "+quoteStart(rest))
		}
		if u.size >= last {
			return 0, durationError(s, "has its units out of order")
		}
		last = u.size
		value, ok := multiply(number, u.size)
		if !ok || total > math.MaxInt64-value {
			return 0, durationError(s, "is too long")
		}
		total += value
	}
	return total, nil
}

func cutUnit(rest *string) (unit, bool) {
	for _, u := range units {
		if after, ok := strings.CutPrefix(*rest, u.name); ok {
			*rest = after
			return u, true
		}
	}
	return unit{}, false
}

// multiply returns digits times size. ok is false if the result is out of range.
func multiply(digits string, size time.Duration) (time.Duration, bool) {
	var n int64
	limit := math.MaxInt64 / int64(size)
	for _, c := range []byte(digits) {
		d := int64(c - '0')
		if n > (limit-d)/10 {
			return 0, false
		}
		n = n*10 + d
	}
	return time.Duration(n) * size, true
}

func durationError(s, problem string) error {
	return fmt.Errorf("%w: %q %s (accepted: %s)", ErrDuration, s, problem, AcceptedDurations)
}

func quoteStart(s string) string {
	const most = 12
	if runes := []rune(s); len(runes) > most {
		s = string(runes[:most])
	}
	return fmt.Sprintf("%q", s)
}
