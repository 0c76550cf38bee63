package validate

func statusPopulated() *Rule {
	return &Rule{
		Code: "W0000", Name: "status_field_populated", Severity: Info,
		Title: "An object has a status.",
		Help: `The status of an object is set by the cluster of the replay. A status in the trace is not applied;
it makes the trace larger, and manifests differ that are otherwise equal. SimKube's tracer does not
record it. The suggestion removes it.`,
		object: func(c *Checker, rule *Rule, s *occurrence) {
			if s.facts.hasStatus {
				c.report(rule, s, "status", "", func() string { return "the status is not empty" })
			}
		},
		suggest: func(_ *Checker, _ *Rule, p *program) { p.command("remove(status);") },
	}
}
