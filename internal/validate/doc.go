// Package validate finds the parts of a trace that will not be replayed as they were recorded, and
// suggests how to fix them.
//
// A [Rule] is one kind of problem: a service account that pods need and that does not exist, a kind
// that the cluster will not serve. A [Checker] reads a trace once and creates a [Finding] for every
// place in an object that breaks a rule; repetitions in later manifests of the object are counted
// in the same finding. Its memory grows with the distinct objects and with the findings, not with
// the length of the trace. A manifest that is equal to the object's last one is not checked again.
//
//	reader, err := trace.NewReader(file)
//	...
//	checker := validate.New(validate.Options{Config: reader.Config()})
//	for event, err := range reader.Events() {
//		...
//		checker.Add(event)
//	}
//	tail, err := reader.Tail()
//	...
//	report := checker.Finish(tail)
//
// [Check] does all of that. To show findings while the trace is read, set Options.OnFinding.
//
// For each rule with findings, the report contains a SKEL program for the kinds and paths of this
// trace. After these programs are applied, the trace passes. [Report.WriteText], [Report.WriteJSON]
// and [Report.WriteSARIF] write a report.
//
// An object exists for others if it was applied in the same second or before, in the same
// namespace, and was not deleted in an earlier second. Objects that every cluster creates by itself
// always exist.
package validate
