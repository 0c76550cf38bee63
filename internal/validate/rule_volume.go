package validate

func volumeSecretMissing() *Rule {
	n := referenceRule{use: useVolumeSecret, kind: secretKind, noun: "secret"}
	return &Rule{
		Code: "E0004", Name: "volume_secret_missing", Severity: Error,
		Title: "A volume is made of a secret that the trace does not hold.",
		Help: `A kubelet does not start a pod with a volume of a secret that is not there: the pod stays in ContainerCreating. Simulated nodes mount
nothing and do not look, so the pods run there; on any other node they wait for ever. Recording secrets is rarely wanted. Take the volumes
out, and what mounts them, as the suggestion does; an "optional: true" is fine as it is.`,
		object:  n.check,
		suggest: n.suggest,
	}
}

func volumeConfigMapMissing() *Rule {
	n := referenceRule{use: useVolumeConfigMap, kind: configMapKind, noun: "config map", builtin: isRootCA}
	return &Rule{
		Code: "E0005", Name: "volume_configmap_missing", Severity: Error,
		Title: "A volume is made of a config map that the trace does not hold.",
		Help: `A kubelet does not start a pod with a volume of a config map that is not there: the pod stays in ContainerCreating. Simulated nodes
mount nothing and do not look, so the pods run there; on any other node they wait for ever. Record ConfigMaps too, or take the volumes
out, and what mounts them, as the suggestion does; an "optional: true" is fine as it is.`,
		object:  n.check,
		suggest: n.suggest,
	}
}

func claimMissing() *Rule {
	n := referenceRule{use: useClaim, kind: claimKind, noun: "claim"}
	return &Rule{
		Code: "E0101", Name: "volume_claim_missing", Severity: Error,
		Title: "A volume is a PersistentVolumeClaim that the trace does not hold.",
		Help: `The scheduler places no pod whose claim does not exist, on simulated nodes either: such pods stay pending for the whole replay. (Claims
that a StatefulSet makes from its own templates are not meant.) Record PersistentVolumeClaims too, and give the cluster of the replay a
provisioner for them; or take the volumes out, and what mounts them, as the suggestion does.`,
		object:  n.check,
		suggest: n.suggest,
	}
}
