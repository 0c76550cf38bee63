package simulation

import (
	"fmt"
	"time"
)

const (
	// firstVirtual is 2010-01-01. The fake clock of the Go runtime begins on 2009-11-10 and must not
	// be set back: packages of Kubernetes take the time when they are initialized, and what waits
	// until a moment after that would wait for years.
	firstVirtual = 1_262_304_000
	// lastVirtual is 2201-01-01. The Go runtime keeps time in nanoseconds since 1970 in 64 bits.
	lastVirtual = 7_289_654_400
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
	offset := p.origin%calendarCycle - firstVirtual%calendarCycle
	if offset < 0 {
		offset += calendarCycle
	}
	return time.Unix(firstVirtual+offset%calendarCycle, 0).UTC()
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
