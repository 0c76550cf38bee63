package validate

func serviceAccountMissing() *Rule {
	n := referenceRule{
		use: useServiceAccount, kind: serviceAccountKind, noun: "service account",
		// A controller creates it in every namespace.
		builtin: func(name string) bool { return name == "default" },
	}
	return &Rule{
		Code: "E0001", Name: "service_account_missing", Severity: Error,
		Title: "A pod needs a service account that the trace does not hold.",
		Help: `A cluster refuses pods whose service account does not exist: their workloads get no pods at all. (The control plane of
skctl simulate and skctl cluster mounts no tokens, and does not ask.) The account "default" is made in every namespace.
Take the field out, so that the pods get that one, as the suggestion does; or record ServiceAccounts too.`,
		object:  n.check,
		suggest: n.suggest,
	}
}
