package xray

import (
	"fmt"
	"time"
)

const (
	day = 24 * 60 * 60
	// lastSecond is the last one of the year 9999. Later dates have another length.
	lastSecond = 253402300799
)

// clockTime returns a time of a trace in UTC.
func clockTime(ts int64, withDate bool) string {
	if ts < 0 || ts > lastSecond {
		return fmt.Sprintf("@%d", ts)
	}
	layout := time.TimeOnly
	if withDate {
		layout = time.DateTime
	}
	return time.Unix(ts, 0).UTC().Format(layout)
}

// sinceStart returns the time since the start of the trace: +00:01:05, +2d03:00:00.
func sinceStart(ts, start int64) string {
	sign, d := "+", ts-start
	if d < 0 {
		sign, d = "-", -d
	}
	days := ""
	if d < 0 || d/day > 99999 {
		return sign + "far"
	}
	if d >= day {
		days = fmt.Sprintf("%dd", d/day)
	}
	return fmt.Sprintf("%s%s%02d:%02d:%02d", sign, days, d/3600%24, d/60%60, d%60)
}

// lasting returns a duration: 5s, 2m05s, 1h00m00s, 3d04h.
func lasting(seconds int64) string {
	switch {
	case seconds < 0:
		return "-" + lasting(max(-seconds, 0))
	case seconds < 60:
		return fmt.Sprintf("%ds", seconds)
	case seconds < 3600:
		return fmt.Sprintf("%dm%02ds", seconds/60, seconds%60)
	case seconds < day:
		return fmt.Sprintf("%dh%02dm%02ds", seconds/3600, seconds/60%60, seconds%60)
	}
	return fmt.Sprintf("%dd%02dh", seconds/day, seconds/3600%24)
}

// timestamp returns a time in RFC 3339.
func timestamp(ts int64) string {
	if ts < 0 || ts > lastSecond {
		return fmt.Sprintf("@%d", ts)
	}
	return time.Unix(ts, 0).UTC().Format(time.RFC3339)
}
