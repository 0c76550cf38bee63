package validate

import "strings"

func priorityClassMissing() *Rule {
	n := referenceRule{
		use: usePriorityClass, kind: priorityClassKind, noun: "priority class", cluster: true, waits: createdByControllers,
		// Every cluster has these, and the prefix is reserved.
		builtin: func(name string) bool { return strings.HasPrefix(name, "system-") },
	}
	return &Rule{
		Code: "E0102", Name: "priority_class_missing", Severity: Error,
		Title: "A pod has a priority class that is not in the trace.",
		Help: `The API server rejects pods whose priority class does not exist, so their workloads get no pods, in
a simulation too. If the class comes later in the trace, controllers create the pods then, and only
bare pods are reported. Record PriorityClasses too, so that pods preempt others as they did; or
remove the field, as the suggestion does, so that all such pods have the same priority.`,
		object:  n.check,
		finish:  n.finish,
		suggest: n.suggest,
	}
}

func runtimeClassMissing() *Rule {
	n := referenceRule{use: useRuntimeClass, kind: runtimeClassKind, noun: "runtime class", cluster: true, waits: createdByControllers}
	return &Rule{
		Code: "E0103", Name: "runtime_class_missing", Severity: Error,
		Title: "A pod has a runtime class that is not in the trace.",
		Help: `The API server rejects pods whose runtime class does not exist, so their workloads get no pods, in a
simulation too. If the class comes later in the trace, controllers create the pods then, and only
bare pods are reported. Record RuntimeClasses too: they define the overhead of such pods, and the
nodes on which they may run. Or remove the field, as the suggestion does.`,
		object:  n.check,
		finish:  n.finish,
		suggest: n.suggest,
	}
}
