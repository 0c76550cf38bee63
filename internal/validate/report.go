package validate

// Report is what a check found.
type Report struct {
	// Findings are sorted by rule, object and place.
	Findings []*Finding
	// Suggestions has one for each rule that found something, sorted by code.
	Suggestions []Suggestion
	// Notes tell what could not be checked.
	Notes []string
	// Events and Manifests are how many there are in the trace.
	Events, Manifests int
}

// Errors tells how many findings are errors.
func (r *Report) Errors() int { return r.count(Error) }

// Warnings tells how many findings are warnings.
func (r *Report) Warnings() int { return r.count(Warning) }

func (r *Report) count(severity Severity) (n int) {
	for _, finding := range r.Findings {
		if finding.Rule.Severity == severity {
			n++
		}
	}
	return n
}

// byRule gives the findings of each rule, and its suggestion.
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
