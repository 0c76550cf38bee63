package validate

import "strings"

func priorityClassMissing() *Rule {
	n := referenceRule{
		use: usePriorityClass, kind: priorityClassKind, noun: "priority class", cluster: true,
		// Every cluster has these, and the prefix is reserved.
		builtin: func(name string) bool { return strings.HasPrefix(name, "system-") },
	}
	return &Rule{
		Code: "E0102", Name: "priority_class_missing", Severity: Error,
		Title: "A pod has a priority class that the trace does not hold.",
		Help: `The API server refuses pods whose priority class does not exist: their workloads get no pods at all, in a simulation either. Record
PriorityClasses too, so that pods preempt others as they did; or take the field out, as the suggestion does, and all such pods have the
same priority.`,
		object:  n.check,
		suggest: n.suggest,
	}
}

func runtimeClassMissing() *Rule {
	n := referenceRule{use: useRuntimeClass, kind: runtimeClassKind, noun: "runtime class", cluster: true}
	return &Rule{
		Code: "E0103", Name: "runtime_class_missing", Severity: Error,
		Title: "A pod has a runtime class that the trace does not hold.",
		Help: `The API server refuses pods whose runtime class does not exist: their workloads get no pods at all, in a simulation either. Record
RuntimeClasses too: they say what such a pod takes in addition, and on which nodes it may be. Or take the field out, as the suggestion does.`,
		object:  n.check,
		suggest: n.suggest,
	}
}
