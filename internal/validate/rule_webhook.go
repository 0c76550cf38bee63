package validate

import (
	"fmt"
	"maps"
	"slices"
)

func webhookRecorded() *Rule {
	return &Rule{
		Code: "W0104", Name: "webhook_recorded", Severity: Warning, early: true,
		Title: "The trace holds the configuration of an admission webhook.",
		Help: `Once it is applied, the API server of the replay asks a service for leave that is not there, or not yet: what the webhook is for is
refused, for other simulations in the same cluster too, unless its failurePolicy is Ignore. The admission of the recorded cluster has left
its mark on the recorded objects already. Leave the configurations out, as the suggestion does.`,
		object: func(c *Checker, rule *Rule, s *occurrence) {
			if s.gvk.Group != "admissionregistration.k8s.io" {
				return
			}
			switch s.gvk.Kind {
			case "MutatingWebhookConfiguration", "ValidatingWebhookConfiguration":
				c.report(rule, s, "", "", func() string { return "the webhook will be asked in the cluster of the replay" })
			}
		},
		suggest: func(c *Checker, rule *Rule, p *program) {
			kinds := map[string]bool{}
			for key := range c.findings {
				if key.rule == rule {
					kinds[key.object.kind.Kind] = true
				}
			}
			for _, kind := range slices.Sorted(maps.Keys(kinds)) {
				p.write(fmt.Sprintf("delete(kind == %s);", quote(kind)))
			}
		},
	}
}
