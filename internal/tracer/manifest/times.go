package manifest

import (
	"time"

	"simkube.io/simkube/trace"
)

// seconds reads a time, or null, and returns unix seconds; ok is false for null and for the zero
// time, which Kubernetes treats as unset.
func (s *scanner) seconds() (unix int64, ok bool, err *Error) {
	if none, err := s.null(); none || err != nil {
		return 0, false, err
	}
	start := s.pos
	text, err := s.string()
	if err != nil {
		return 0, false, err
	}
	if unix, ok = parseSeconds(text); ok {
		return unix, true, nil
	}
	t, parseErr := time.Parse(time.RFC3339, string(text))
	if parseErr != nil {
		return 0, false, s.fail(start, trace.ErrValue, "want a time as in RFC 3339")
	}
	return t.Unix(), !t.IsZero(), nil
}

// parseSeconds parses times in the form that Kubernetes writes, such as 2024-02-29T12:30:00Z; for
// other forms, ok is false.
func parseSeconds(t []byte) (unix int64, ok bool) {
	if len(t) != len("2006-01-02T15:04:05Z") || t[4] != '-' || t[7] != '-' || t[10] != 'T' || t[13] != ':' || t[16] != ':' || t[19] != 'Z' {
		return 0, false
	}
	ok = true
	two := func(i int) int64 {
		a, b := t[i]-'0', t[i+1]-'0'
		if a > 9 || b > 9 {
			ok = false
		}
		return int64(a)*10 + int64(b)
	}
	year, month, day := two(0)*100+two(2), two(5), two(8)
	hour, minute, second := two(11), two(14), two(17)
	// Rare or invalid times are left to package time: other years, leap days and leap seconds.
	if !ok || year < 1970 || month < 1 || month > 12 || hour > 23 || minute > 59 || second > 59 {
		return 0, false
	}
	lengths := [...]int64{31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31}
	if day < 1 || day > lengths[month-1] {
		return 0, false
	}
	return daysSinceEpoch(year, month, day)*86400 + hour*3600 + minute*60 + second, true
}

// daysSinceEpoch returns the number of days from 1970-01-01 to a date of the Gregorian calendar.
// Its years begin in March, so that the leap day is the last day of its year.
func daysSinceEpoch(year, month, day int64) int64 {
	if month <= 2 {
		year--
		month += 12
	}
	dayOfYear := (153*(month-3)+2)/5 + day - 1
	return 365*year + year/4 - year/100 + year/400 + dayOfYear - 719468
}
