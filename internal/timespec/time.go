package timespec

import (
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"
)

// AcceptedTimes lists what ParseTime accepts, for help texts.
const AcceptedTimes = `-2h, -30m, now, +5m, "10 minutes ago", 2024-01-01T12:00:00Z, 2024-01-01T12:00:00 (local), 2024-01-01, 1704110400 (unix seconds)`

// ErrTime is wrapped by every error of ParseTime.
var ErrTime = errors.New("not a time")

// lastSecond is the end of the year 9999. Later times cannot be formatted.
const lastSecond = 253402300799

// ParseTime parses a time between 1970 and 9999:
//
//   - a time (RFC 3339), with or without a zone, or a date; the default zone is that of now;
//   - unix seconds, as an integer without a sign;
//   - a duration from base, with a sign ("-2h", "+5m"; see [ParseDuration]);
//   - "now", or a duration before now: "10 minutes ago", "1h30m ago".
//
// Any other text is an error that wraps ErrTime and lists what is accepted.
func ParseTime(s string, now, base time.Time) (time.Time, error) {
	t, err := parseTime(strings.TrimSpace(s), now, base)
	switch {
	case err != nil:
		return time.Time{}, timeError(s, err.Error())
	case t.Unix() < 0:
		return time.Time{}, timeError(s, "is before 1970")
	case t.Unix() > lastSecond:
		return time.Time{}, timeError(s, "is after the year 9999")
	}
	return t, nil
}

func parseTime(s string, now, base time.Time) (time.Time, error) {
	switch {
	case s == "":
		return time.Time{}, errors.New("is empty")
	case s == "now":
		return now, nil
	case s[0] == '-' || s[0] == '+':
		d, err := ParseDuration(s[1:])
		if err != nil || strings.HasPrefix(s[1:], "+") {
			return time.Time{}, errors.New("has no duration after its sign")
		}
		if s[0] == '-' {
			d = -d
		}
		return base.Add(d), nil
	case strings.Trim(s, "0123456789") == "":
		seconds, err := strconv.ParseInt(s, 10, 64)
		if err != nil || seconds > lastSecond {
			return time.Time{}, errors.New("is too large for unix seconds; milliseconds are not accepted")
		}
		return time.Unix(seconds, 0).In(now.Location()), nil
	}
	if ago, ok := strings.CutSuffix(s, " ago"); ok {
		d, err := parseWords(ago)
		if err != nil {
			return time.Time{}, err
		}
		return now.Add(-d), nil
	}
	for _, layout := range []string{time.RFC3339, "2006-01-02T15:04:05", time.DateOnly} {
		if t, err := time.ParseInLocation(layout, s, now.Location()); err == nil {
			return t, nil
		}
	}
	return time.Time{}, errors.New("is unknown")
}

// parseWords parses a duration with optional spaces between numbers and units, and with units that
// may be words: "1 hour 30 minutes".
func parseWords(s string) (time.Duration, error) {
	var short strings.Builder
	for _, word := range strings.Fields(s) {
		short.WriteString(shortUnit(word))
	}
	d, err := ParseDuration(short.String())
	if err != nil || strings.HasPrefix(short.String(), "+") {
		return 0, errors.New("has no duration before \"ago\"")
	}
	return d, nil
}

// shortUnit returns the abbreviation of a unit, and any other word unchanged.
func shortUnit(word string) string {
	singular := word
	if len(word) > len("s") {
		singular = strings.TrimSuffix(word, "s")
	}
	switch singular {
	case "day":
		return "d"
	case "hour", "hr":
		return "h"
	case "minute", "min":
		return "m"
	case "second", "sec":
		return "s"
	}
	return word
}

func timeError(s, problem string) error {
	return fmt.Errorf("%w: %q %s (accepted: %s)", ErrTime, s, problem, AcceptedTimes)
}
