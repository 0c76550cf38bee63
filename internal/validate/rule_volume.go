package validate

func volumeSecretMissing() *Rule {
	n := referenceRule{use: useVolumeSecret, kind: secretKind, noun: "secret"}
	return &Rule{
		Code: "E0004", Name: "volume_secret_missing", Severity: Info,
		Title: "A volume refers to a secret that is not in the trace.",
		Help: `A kubelet does not start a pod with a volume of a missing secret. Simulated nodes mount nothing and do
not check it, so the pods run there, and nothing need be done. Secrets are usually not recorded. The
suggestion removes the volumes and their mounts, for a replay on other nodes. References with
"optional: true" are not reported.`,
		object:  n.check,
		suggest: n.suggest,
	}
}

func volumeConfigMapMissing() *Rule {
	n := referenceRule{use: useVolumeConfigMap, kind: configMapKind, noun: "config map", builtin: isRootCA}
	return &Rule{
		Code: "E0005", Name: "volume_configmap_missing", Severity: Info,
		Title: "A volume refers to a config map that is not in the trace.",
		Help: `A kubelet does not start a pod with a volume of a missing config map. Simulated nodes mount nothing
and do not check it, so the pods run there, and nothing need be done. The suggestion removes the
volumes and their mounts, for a replay on other nodes. References with "optional: true" are not
reported.`,
		object:  n.check,
		suggest: n.suggest,
	}
}

func claimMissing() *Rule {
	n := referenceRule{use: useClaim, kind: claimKind, noun: "claim"}
	return &Rule{
		Code: "E0101", Name: "volume_claim_missing", Severity: Error,
		Title: "A volume refers to a PersistentVolumeClaim that is not in the trace.",
		Help: `The scheduler does not schedule a pod whose claim does not exist, not even on simulated nodes: it
stays pending for the whole replay. (Claims that a StatefulSet creates from its own templates are
not reported.) Record PersistentVolumeClaims too, and install a provisioner for them in the cluster
of the replay; or remove the volumes and their mounts, as the suggestion does.`,
		object:  n.check,
		suggest: n.suggest,
	}
}
