package validate

import (
	"strings"

	"simkube.io/simkube/trace"
)

// Severity says how bad a finding is.
type Severity string

// The severities.
const (
	// Error is for what keeps objects or their pods from being replayed, on simulated nodes or on real ones.
	Error Severity = "error"
	// Warning is for what a replay leaves out or does differently.
	Warning Severity = "warning"
)

// Rule is one thing that traces are checked for.
type Rule struct {
	// Code is what other programs know the rule by, and does not change: "E0001".
	Code string `json:"code"`
	// Name is what people know it by: "service_account_missing".
	Name     string   `json:"name"`
	Severity Severity `json:"severity"`
	// Title says in one sentence what is wrong.
	Title string `json:"title"`
	// Help says why that matters for a replay, and what to do.
	Help string `json:"help"`

	// What is called while a trace is walked; each may be nil.
	event   func(c *Checker, r *Rule, at moment)
	object  func(c *Checker, r *Rule, s *sighting)
	deleted func(c *Checker, r *Rule, s *sighting)
	finish  func(c *Checker, r *Rule, tail *trace.Tail)
	// suggest writes the commands after which the trace passes.
	suggest func(c *Checker, r *Rule, p *program)
	// early says that the commands change what is an object at all, and come before those of other rules.
	early bool
}

// Rules gives all rules, sorted by code: those of names that are common to tools for traces, then those of this project.
func Rules() []*Rule {
	return []*Rule{
		serviceAccountMissing(),
		envSecretMissing(),
		envConfigMapMissing(),
		volumeSecretMissing(),
		volumeConfigMapMissing(),
		claimMissing(),
		priorityClassMissing(),
		runtimeClassMissing(),
		apiUnknown(),
		unbearableValue(),
		nameIsPath(),
		statusPopulated(),
		eventsOutOfOrder(),
		deletedNeverExisted(),
		podLargerThanNodes(),
		webhookRecorded(),
	}
}

// Find gives the rule with a code or a name, in any case.
func Find(codeOrName string) (*Rule, bool) {
	for _, rule := range Rules() {
		if strings.EqualFold(rule.Code, codeOrName) || strings.EqualFold(rule.Name, codeOrName) {
			return rule, true
		}
	}
	return nil, false
}
