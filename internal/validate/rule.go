package validate

import (
	"strings"

	"simkube.io/simkube/trace"
)

// Severity is the severity of a finding.
type Severity string

// The severities.
const (
	// Error is the severity of problems that prevent objects or their pods from being replayed.
	Error Severity = "error"
	// Warning is the severity of problems because of which the pods of a replay may differ from the
	// recorded ones.
	Warning Severity = "warning"
	// Info is the severity of what a replay leaves out or changes without an effect on pods.
	Info Severity = "info"
)

// Rule is one kind of problem that traces are checked for.
type Rule struct {
	// Code identifies the rule for programs: "E0001". It does not change.
	Code string `json:"code"`
	// Name identifies the rule for people: "service_account_missing".
	Name     string   `json:"name"`
	Severity Severity `json:"severity"`
	// Title describes the problem in one sentence.
	Title string `json:"title"`
	// Help says why the problem matters for a replay, and what to do.
	Help string `json:"help"`

	// The functions called while a trace is read; each may be nil.
	event   func(c *Checker, r *Rule, at position)
	object  func(c *Checker, r *Rule, s *occurrence)
	deleted func(c *Checker, r *Rule, s *occurrence)
	finish  func(c *Checker, r *Rule, tail *trace.Tail)
	// suggest adds the commands after which the trace passes.
	suggest func(c *Checker, r *Rule, p *program)
	// early means that the commands remove or rename objects, and come before those of other rules.
	early bool
	// inherent means that the rule is about what a replay does by itself, which no program changes.
	inherent bool
	// shared is the severity in a cluster with other workloads; empty means the same.
	shared Severity
	// excluded means that the rule is about objects that every replay leaves out. The other rules are
	// not checked for these.
	excluded bool
}

// Rules returns all rules, sorted by code. The first have names that are common to tools for
// traces; the others are specific to this project.
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
		harmfulValue(),
		invalidName(),
		podSecurity(),
		storageClassMissing(),
		statusPopulated(),
		eventsOutOfOrder(),
		deletedNeverExisted(),
		podLargerThanNodes(),
		leftOutMatters(),
		leftOut(),
		conversionRemoved(),
		kindUndefined(),
		quotaExceeded(),
		changedWithinSecond(),
		recreated(),
		referenceOutside(),
		namespaceShortened(),
	}
}

// rulesFor returns all rules with the severities for a kind of cluster.
func rulesFor(shared bool) []*Rule {
	rules := Rules()
	for _, rule := range rules {
		if shared && rule.shared != "" {
			rule.Severity = rule.shared
		}
	}
	return rules
}

// Find returns the rule with a code or a name, ignoring case.
func Find(codeOrName string) (*Rule, bool) {
	for _, rule := range Rules() {
		if strings.EqualFold(rule.Code, codeOrName) || strings.EqualFold(rule.Name, codeOrName) {
			return rule, true
		}
	}
	return nil, false
}
