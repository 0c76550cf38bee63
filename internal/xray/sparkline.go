package xray

import (
	"math"
	"strings"
)

// sparkline draws numbers as bars of one cell each. The highest of them is full, except the first,
// which includes the first event with everything that existed. A number above 0 is always visible.
func sparkline(values []int, bars []string) string {
	most := 0
	for i, v := range values {
		if i > 0 {
			most = max(most, v)
		}
	}
	var b strings.Builder
	for _, v := range values {
		b.WriteString(bars[barHeight(v, most, len(bars)-1)])
	}
	return b.String()
}

// barHeight returns the height of a bar, from 0 to full.
func barHeight(v, most, full int) int {
	switch {
	case v <= 0:
		return 0
	case v >= most:
		return full
	}
	return min(1+int(float64(v)/float64(most)*float64(full)), full)
}

// column returns the cell of a time if width cells stand for the time from first to last.
func column(at, first, last int64, width int) int {
	if width <= 1 || last <= first {
		return 0
	}
	share := (float64(at) - float64(first)) / (float64(last) - float64(first))
	return min(max(int(share*float64(width)), 0), width-1)
}

// timeAt returns the time at which a cell begins: the inverse of column.
func timeAt(cell int, first, last int64, width int) int64 {
	if width <= 1 || last <= first {
		return first
	}
	at := float64(first) + (float64(last)-float64(first))*float64(cell)/float64(width)
	return min(max(int64(math.Ceil(at)), first), last)
}
