package simulation

import (
	"fmt"
	"time"
)

const (
	// The Go runtime keeps time in nanoseconds since 1970 in 64 bits, and takes 0 for no fake time. A
	// control plane also makes certificates and objects, whose times are after 1970.
	firstVirtual = 31_536_000    // 1971-01-01
	lastVirtual  = 7_289_654_400 // 2201-01-01
	// firstMoved is the first date to which the clock is set for a trace of other years, 1980-01-01.
	firstMoved = 315_532_800
	// calendarCycle is 28 years in seconds. After that, every date from 1901 to 2099 is on the same
	// day of the week again.
	calendarCycle = 10_227 * day
)

// ClockOrigin returns the time that a virtual clock shows when the first event of the trace is
// replayed: that of the event, or, for a year that the clock cannot show, one with the same time of
// day and day of the week, so that CronJobs have the same schedule.
func (p *Prepared) ClockOrigin() time.Time {
	if p.origin >= firstVirtual && p.origin < lastVirtual {
		return time.Unix(p.origin, 0).UTC()
	}
	offset := p.origin%calendarCycle - firstMoved%calendarCycle
	if offset < 0 {
		offset += calendarCycle
	}
	return time.Unix(firstMoved+offset%calendarCycle, 0).UTC()
}

// dateNote returns a note about a clock that shows another date than the trace has. It may be
// empty.
func (p *Prepared) dateNote() string {
	shown := p.ClockOrigin()
	if p.spec.Time != Virtual || shown.Unix() == p.origin {
		return ""
	}
	return fmt.Sprintf("the trace begins at %s, which the clock of a cluster cannot show: there it is %s, with the same time of day and day of the week; the results have the times of the trace",
		instant(p.origin), shown.Format(time.RFC3339))
}
