package validate

func envSecretMissing() *Rule {
	n := referenceRule{use: useEnvSecret, kind: secretKind, noun: "secret"}
	return &Rule{
		Code: "E0002", Name: "envvar_secret_missing", Severity: Info,
		Title: "The environment of a container refers to a secret that is not in the trace.",
		Help: `A kubelet does not start a container whose environment refers to a missing secret. Simulated nodes
start no containers and do not check it, so the pods run there, and nothing need be done. Secrets
are usually not recorded. The suggestion removes the variables, for a replay on other nodes.
References with "optional: true" are not reported.`,
		object:  n.check,
		suggest: n.suggest,
	}
}

func envConfigMapMissing() *Rule {
	n := referenceRule{use: useEnvConfigMap, kind: configMapKind, noun: "config map", builtin: isRootCA}
	return &Rule{
		Code: "E0003", Name: "envvar_configmap_missing", Severity: Info,
		Title: "The environment of a container refers to a config map that is not in the trace.",
		Help: `A kubelet does not start a container whose environment refers to a missing config map. Simulated
nodes start no containers and do not check it, so the pods run there, and nothing need be done. The
suggestion removes the variables, for a replay on other nodes. References with "optional: true" are
not reported.`,
		object:  n.check,
		suggest: n.suggest,
	}
}

// isRootCA reports whether name is the config map that a controller creates in every namespace.
func isRootCA(name string) bool { return name == "kube-root-ca.crt" }
