package validate

import (
	"fmt"
	"maps"
	"slices"
)

func webhookRecorded() *Rule {
	return &Rule{
		Code: "W0104", Name: "webhook_recorded", Severity: Warning, early: true,
		Title: "The trace contains the configuration of an admission webhook.",
		Help: `Once it is applied, the API server of the replay calls a service that does not exist, or not yet. It
rejects the requests that the webhook applies to, also for other simulations in the same cluster,
unless its failurePolicy is Ignore. The recorded objects already include the changes of the
admission webhooks of the recorded cluster. Remove the configurations, as the suggestion does.`,
		object: func(c *Checker, rule *Rule, s *occurrence) {
			if s.gvk.Group != "admissionregistration.k8s.io" {
				return
			}
			switch s.gvk.Kind {
			case "MutatingWebhookConfiguration", "ValidatingWebhookConfiguration":
				c.report(rule, s, "", "", func() string { return "the cluster of the replay will call the webhook" })
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
