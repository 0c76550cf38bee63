package validate

import "fmt"

func eventsOutOfOrder() *Rule {
	return &Rule{
		Code: "W0101", Name: "events_out_of_order", Severity: Warning,
		Title: "An event is earlier than the previous one.",
		Help: `The clock of the recorder was set back, or the trace was assembled by hand. A replay uses the order
of the file, so an event that is too early is replayed immediately after the previous one, and not
at its time. skctl transform sets its time to that of the previous event, even with a program
without commands, such as the suggestion. If the order in the file is wrong, record again.`,
		event: func(c *Checker, rule *Rule, at position) {
			if c.events == 0 || at.time >= c.now.time {
				return
			}
			path := fmt.Sprintf("events[%d]", at.event)
			c.add(findingKey{rule: rule, path: path}, &Finding{
				Rule: rule, Path: path, Event: at.event, Time: at.time, Count: 1,
				Message: fmt.Sprintf("the event is %d s earlier than the previous one", uint64(c.now.time)-uint64(at.time)),
			})
		},
		suggest: func(_ *Checker, _ *Rule, p *program) {
			p.comment("No command is needed: skctl transform sets the time of an event that is too early to that of the previous event.")
		},
	}
}
