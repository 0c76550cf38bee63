// Package validate says what in a trace will not replay the way it was recorded, and what to do about it.
//
// A [Rule] is one thing that is looked for: a service account that pods need and nobody made, a kind that the cluster will not serve.
// A [Checker] walks a trace once and makes a [Finding] for every place of an object that breaks a rule; what is repeated in later
// manifests of the object is counted there. What it keeps grows with the distinct objects and with the findings, not with the length of
// the trace, and a manifest with the bytes of the object's last one is not looked at again.
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
// [Check] is all of that. Who wants to show findings while the trace is walked sets Options.OnFinding.
//
// For each rule that found something, the report has a program in SKEL, made for the kinds and the paths of this very trace; a trace
// to which it was applied passes. [Report.WriteText], [Report.WriteJSON] and [Report.WriteSARIF] write a report down.
//
// An object exists for others when it was applied in the same second or before, in the same namespace, and not deleted in an earlier
// second. What every cluster makes by itself exists always.
package validate
