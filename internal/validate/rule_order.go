package validate

import "fmt"

func eventsOutOfOrder() *Rule {
	return &Rule{
		Code: "W0101", Name: "events_out_of_order", Severity: Warning,
		Title: "An event is earlier than the one before it.",
		Help: `A recorder's clock was set back, or traces were put together by hand. A replay takes events as they stand, so what comes too late in the
file is replayed at once when its turn comes, and not at its time. Every run of skctl transform gives such an event the time of the one in
front of it, with a program without commands too, as the suggestion is. Where the order in the file is the wrong one, record again.`,
		event: func(c *Checker, rule *Rule, at position) {
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
			p.comment("No command is needed: skctl transform gives an event that is too early the time of the one in front of it.")
		},
	}
}
