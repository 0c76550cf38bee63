package validate

func serviceAccountMissing() *Rule {
	n := referenceRule{
		use: useServiceAccount, kind: serviceAccountKind, noun: "service account",
		// A controller creates it in every namespace.
		builtin: func(name string) bool { return name == "default" },
	}
	return &Rule{
		Code: "E0001", Name: "service_account_missing", Severity: Info, shared: Error,
		Title: "A pod needs a service account that is not in the trace.",
		Help: `The control plane of skctl simulate and skctl cluster mounts no tokens and does not check the account,
so the pods run. In a cluster with other workloads (skctl run), the API server rejects pods whose
service account does not exist, so their workloads get no pods; with --shared this is an error. The
account "default" exists in every namespace. Record ServiceAccounts too; or remove the field, as the
suggestion does, so that the pods use that account.`,
		object:  n.check,
		suggest: n.suggest,
	}
}
