package validate

import "fmt"

func eventsOutOfOrder() *Rule {
	return &Rule{
		Code: "W0101", Name: "events_out_of_order", Severity: Warning,
		Title: "An event is earlier than the one before it.",
		Help: `A recorder's clock was set back, or traces were put together by hand. A replay takes events as they stand, so what comes too late in the
file is replayed at once when its turn comes, and not at its time. No command of SKEL orders events; skctl trace merge with this one trace writes it
in the order of time.`,
		event: func(c *Checker, rule *Rule, at moment) {
			if c.events == 0 || at.time >= c.now.time {
				return
			}
			path := fmt.Sprintf("events[%d]", at.event)
			c.add(findingKey{rule: rule, path: path}, &Finding{
				Rule: rule, Path: path, Event: at.event, Time: at.time, Count: 1,
				Message: fmt.Sprintf("the event is %d s earlier than the one before it", uint64(c.now.time)-uint64(at.time)),
			})
		},
		suggest: func(_ *Checker, _ *Rule, p *program) {
			p.comment("No command orders events: `skctl trace merge` writes them in the order of time.")
		},
	}
}
