package validate

func envSecretMissing() *Rule {
	n := referenceRule{use: useEnvSecret, kind: secretKind, noun: "secret"}
	return &Rule{
		Code: "E0002", Name: "envvar_secret_missing", Severity: Error,
		Title: "A container takes its environment from a secret that the trace does not hold.",
		Help: `A kubelet does not start a container whose environment names a secret that is not there: the pod stays in
CreateContainerConfigError. Simulated nodes start no containers and do not look, so the pods run there; on any other node they wait for
ever. Recording secrets is rarely wanted. Take the variables out, as the suggestion does; an "optional: true" is fine as it is.`,
		object:  n.check,
		suggest: n.suggest,
	}
}

func envConfigMapMissing() *Rule {
	n := referenceRule{use: useEnvConfigMap, kind: configMapKind, noun: "config map", builtin: isRootCA}
	return &Rule{
		Code: "E0003", Name: "envvar_configmap_missing", Severity: Error,
		Title: "A container takes its environment from a config map that the trace does not hold.",
		Help: `A kubelet does not start a container whose environment names a config map that is not there: the pod stays in
CreateContainerConfigError. Simulated nodes start no containers and do not look, so the pods run there; on any other node they wait for
ever. Record ConfigMaps too, or take the variables out, as the suggestion does; an "optional: true" is fine as it is.`,
		object:  n.check,
		suggest: n.suggest,
	}
}

// isRootCA reports whether name is the config map that a controller creates in every namespace.
func isRootCA(name string) bool { return name == "kube-root-ca.crt" }
