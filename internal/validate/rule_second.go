package validate

func changedWithinSecond() *Rule {
	return &Rule{
		Code: "W0109", Name: "changed_within_second", Severity: Info, inherent: true,
		Title: "Several things happen to an object within one second.",
		Help: `Events have whole seconds. The replay applies several versions of an object one after the other, in
the order of the file. Of an object that is both applied and deleted it finds out what came first:
from the recorded milliseconds, if the trace has them, and otherwise from what existed before and
after. docs/replay-order.md has the rules. Nothing need be done. If the order is wrong, give the
events different times.`,
		object: func(c *Checker, rule *Rule, s *occurrence) {
			if s.within != "" {
				c.report(rule, s, "", s.within, func() string { return s.within })
			}
		},
		suggest: nothingToDo,
	}
}

// What happens to one object within a second.
const (
	changedTwice  = "the object is changed more than once within a second"
	bothWithin    = "the object is both applied and deleted within a second"
	createdWithin = "the object is deleted and created again within a second"
)

// deletedWithin notes that an object is deleted that was applied in the same second.
func (c *Checker) deletedWithin(key objectKey) {
	for i := len(c.waiting) - 1; i >= 0; i-- {
		if c.waiting[i].key == key {
			c.waiting[i].within = bothWithin
			return
		}
	}
}
