package validate

import (
	"maps"
	"slices"

	"simkube.io/simkube/internal/exclusion"
	"simkube.io/simkube/trace"
)

func leftOutMatters() *Rule {
	return &Rule{
		Code: "W0104", Name: "webhook_recorded", Severity: Warning, early: true, excluded: true,
		Title: "A webhook, an admission policy, or an aggregated API is left out, and pods may differ without it.",
		Help: `Webhooks and aggregated APIs need servers that do not run in a simulation, so every replay leaves them
out, together with admission policies. The recorded objects already include what webhooks and
policies changed in them. Objects that controllers create in the replay, such as pods, do not: they
lack injected containers and the like, and none are refused. If that matters, make the same change
in the pod templates, with skctl transform. The suggestion removes the objects, which changes
nothing in a replay.`,
		object: func(c *Checker, rule *Rule, s *occurrence) {
			if path := s.facts.matters; path != "" {
				c.report(rule, s, path, "", func() string { return s.excluded.Text + "; " + s.excluded.Effect })
			}
		},
		suggest: suggestLeftOut,
	}
}

func leftOut() *Rule {
	return &Rule{
		Code: "W0105", Name: "left_out", Severity: Info, early: true, excluded: true,
		Title: "An object is left out of every replay, and pods do not differ without it.",
		Help: `The object makes an API server call servers that do not run in a simulation, or describes the recorded
cluster and not what ran in it. docs/left-out.md lists the kinds, with reasons. Nothing need be
done. The suggestion removes the objects, which changes nothing in a replay.`,
		object: func(c *Checker, rule *Rule, s *occurrence) {
			if s.facts.matters == "" {
				c.report(rule, s, "", "", func() string { return s.excluded.Text })
			}
		},
		suggest: suggestLeftOut,
	}
}

func conversionRemoved() *Rule {
	return &Rule{
		Code: "W0106", Name: "conversion_removed", Severity: Info,
		Title: "A definition converts its objects by a webhook.",
		Help: `The server of the webhook does not run in a simulation, and without it, requests for any version but
the stored one fail. The replay therefore removes the conversion. The objects keep the fields of the
version in which they were recorded. Nothing need be done. The suggestion removes the conversion,
which changes nothing in a replay.`,
		object: func(c *Checker, rule *Rule, s *occurrence) {
			if s.facts.converts && !c.opts.Shared {
				c.report(rule, s, "spec.conversion", "", func() string { return "the replay removes the conversion by a webhook" })
			}
		},
		suggest: func(_ *Checker, _ *Rule, p *program) {
			p.command("remove(kind == %s && spec.conversion.strategy == %s, spec.conversion);", quote(exclusion.Definition.Kind), quote("Webhook"))
		},
	}
}

// suggestLeftOut removes the objects, by kind. All objects of these kinds are left out, except for
// definitions.
func suggestLeftOut(c *Checker, rule *Rule, p *program) {
	commands := map[string]bool{}
	for key, finding := range c.findings {
		if key.rule != rule {
			continue
		}
		selector := "@gvk == " + quote(trace.FormatGVK(finding.Object.GVK))
		if key.object.kind == exclusion.Definition {
			selector += " && metadata.name == " + quote(key.object.name)
		}
		commands["delete("+selector+");"] = true
	}
	for _, command := range slices.Sorted(maps.Keys(commands)) {
		p.write(command)
	}
}
