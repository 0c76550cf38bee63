package app

import (
	"fmt"
	"strings"

	simkubev1 "simkube.io/simkube/api/v1"
	"simkube.io/simkube/internal/printable"
	"simkube.io/simkube/internal/words"
)

// printReport prints what an export left out, and which commands of --transform changed nothing.
// Older tracers send no report.
func (p *program) printReport(plan exportPlan, report *simkubev1.ExportReport) {
	if report == nil {
		if names := plan.request.Filters.ExcludedNamespaces; len(names) > 0 {
			p.notef("objects in these namespaces are left out: %s; use --excluded-namespaces to choose others", strings.Join(names, ","))
		}
		return
	}
	if len(report.LeftOut) > 0 || report.MoreNamespaces > 0 {
		p.notef("objects in these namespaces are left out: %s; use --excluded-namespaces or --included-namespaces to choose others", leftOutText(report))
	}
	for _, u := range report.Unmatched {
		p.warnf("--transform: %s", unmatchedText(u.Line, u.Command, u.Hint))
	}
	if n := report.MoreUnmatched; n > 0 {
		p.warnf("--transform: %s without an effect", words.Count(n, "more command"))
	}
}

// leftOutText lists the namespaces of a report with their objects.
func leftOutText(report *simkubev1.ExportReport) string {
	var parts []string
	for _, n := range report.LeftOut {
		parts = append(parts, fmt.Sprintf("%s (%s)", printable.Line(n.Namespace), words.Count(n.Objects, "object")))
	}
	if n := report.MoreNamespaces; n > 0 {
		parts = append(parts, fmt.Sprintf("%s (%s)", words.Count(n, "more namespace"), words.Count(report.MoreObjects, "object")))
	}
	return words.And(parts...)
}
