package validate

// Report is the result of a check.
type Report struct {
	// Findings are sorted by rule, object and place.
	Findings []*Finding
	// Suggestions has one suggestion for each rule with findings, sorted by code.
	Suggestions []Suggestion
	// Notes list what could not be checked.
	Notes []string
	// shared is whether the cluster of the replay has other workloads.
	shared bool
	// Events and Manifests are the numbers of events and manifests in the trace.
	Events, Manifests int
}

// Errors returns the number of findings that are errors.
func (r *Report) Errors() int { return r.count(Error) }

// Warnings returns the number of findings that are warnings.
func (r *Report) Warnings() int { return r.count(Warning) }

// Infos returns the number of findings that are neither.
func (r *Report) Infos() int { return r.count(Info) }

func (r *Report) count(severity Severity) (n int) {
	for _, finding := range r.Findings {
		if finding.Rule.Severity == severity {
			n++
		}
	}
	return n
}

// byRule returns the findings of each rule with its suggestion.
func (r *Report) byRule() []ruleFindings {
	var groups []ruleFindings
	for _, finding := range r.Findings {
		if n := len(groups); n == 0 || groups[n-1].rule != finding.Rule {
			groups = append(groups, ruleFindings{rule: finding.Rule})
		}
		last := &groups[len(groups)-1]
		last.findings = append(last.findings, finding)
	}
	for i := range groups {
		for _, suggestion := range r.Suggestions {
			if suggestion.Rule == groups[i].rule {
				groups[i].program = suggestion.Program
			}
		}
	}
	return groups
}

type ruleFindings struct {
	rule     *Rule
	findings []*Finding
	program  string
}
