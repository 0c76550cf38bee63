package results

import (
	"fmt"
	"math"
	"strconv"
	"strings"
	"time"

	"simkube.io/simkube/internal/words"
)

// FormatNumber formats a quantity for people: three significant digits below a thousand, a whole
// number above.
func FormatNumber(v float64) string {
	abs := math.Abs(v)
	switch {
	case abs >= 99.95:
		return words.Number(int(math.Round(v)))
	case abs >= 9.995:
		return trimZeros(strconv.FormatFloat(v, 'f', 1, 64))
	default:
		return trimZeros(strconv.FormatFloat(v, 'f', 2, 64))
	}
}

func trimZeros(s string) string {
	if strings.Contains(s, ".") {
		s = strings.TrimSuffix(strings.TrimRight(s, "0"), ".")
	}
	if s == "-0" {
		return "0"
	}
	return s
}

// FormatPercent formats a fraction for people: <1%, 6.4%, 39%.
func FormatPercent(f float64) string {
	switch {
	case f > 0 && f < 0.01:
		return "<1%"
	case f > 0 && f < 0.095:
		return fmt.Sprintf("%.1f%%", 100*f)
	}
	return fmt.Sprintf("%.0f%%", 100*f)
}

// FormatSeconds formats a delay for people: 0, 350µs, 12ms, 3.2s, 4m10s, 1h5m.
func FormatSeconds(s float64) string {
	switch {
	case s <= 0:
		return "0s"
	case s < 0.0009995:
		return fmt.Sprintf("%.0fµs", s*1e6)
	case s < 0.00995:
		return trimZeros(fmt.Sprintf("%.1f", s*1e3)) + "ms"
	case s < 0.9995:
		return fmt.Sprintf("%.0fms", s*1e3)
	case s < 9.95:
		return trimZeros(fmt.Sprintf("%.1f", s)) + "s"
	}
	return FormatDuration(time.Duration(s * float64(time.Second)))
}

// FormatDuration formats a duration for people, in its two largest units: 4m10s, 1h5m, 2d3h.
func FormatDuration(d time.Duration) string {
	const day = 24 * time.Hour
	switch {
	case d < 10*time.Second:
		return trimZeros(fmt.Sprintf("%.1f", d.Seconds())) + "s"
	case d < time.Hour-time.Second/2: // what rounds up to an hour is one
		return twoUnits(d.Round(time.Second), time.Minute, "m", time.Second, "s")
	case d < day-time.Minute/2:
		return twoUnits(d.Round(time.Minute), time.Hour, "h", time.Minute, "m")
	}
	return twoUnits(d.Round(time.Hour), day, "d", time.Hour, "h")
}

func twoUnits(d, large time.Duration, largeName string, small time.Duration, smallName string) string {
	a, b := d/large, d%large/small
	switch {
	case a == 0:
		return fmt.Sprintf("%d%s", b, smallName)
	case b == 0:
		return fmt.Sprintf("%d%s", a, largeName)
	}
	return fmt.Sprintf("%d%s%d%s", a, largeName, b, smallName)
}
