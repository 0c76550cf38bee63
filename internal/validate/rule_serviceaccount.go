package validate

func serviceAccountMissing() *Rule {
	n := referenceRule{
		use: useServiceAccount, kind: serviceAccountKind, noun: "service account",
		// A controller creates it in every namespace.
		builtin: func(name string) bool { return name == "default" },
	}
	return &Rule{
		Code: "E0001", Name: "service_account_missing", Severity: Error,
		Title: "A pod needs a service account that is not in the trace.",
		Help: `The API server rejects pods whose service account does not exist, so their workloads get no pods.
(The control plane of skctl simulate and skctl cluster mounts no tokens and does not check it.) The
account "default" exists in every namespace. Remove the field, as the suggestion does, so that the
pods use that account; or record ServiceAccounts too.`,
		object:  n.check,
		suggest: n.suggest,
	}
}
