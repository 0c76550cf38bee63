package validate

func statusPopulated() *Rule {
	return &Rule{
		Code: "W0000", Name: "status_field_populated", Severity: Warning,
		Title: "An object has a status.",
		Help: `What an object's status says is for the cluster of the replay to find out: a status from the trace is not applied, and only makes the
trace larger and its manifests differ where nothing changed. Recordings of SimKube's tracer have none. Take it out, as the suggestion does.`,
		object: func(c *Checker, rule *Rule, s *occurrence) {
			if s.facts.hasStatus {
				c.report(rule, s, "status", "", func() string { return "the status is not empty" })
			}
		},
		suggest: func(_ *Checker, _ *Rule, p *program) { p.command("remove(status);") },
	}
}
