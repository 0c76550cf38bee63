package validate

import (
	"fmt"

	"k8s.io/apimachinery/pkg/runtime/schema"

	"simkube.io/simkube/internal/volumes"
	"simkube.io/simkube/trace"
)

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
	n := referenceRule{use: useClaim, kind: claimKind, noun: "claim", waits: func(schema.GroupKind) bool { return true }}
	return &Rule{
		Code: "E0101", Name: "volume_claim_missing", Severity: Error,
		Title: "A volume refers to a PersistentVolumeClaim that is not in the trace.",
		Help: `The scheduler does not schedule a pod whose claim does not exist, not even on simulated nodes: it
stays pending for the whole replay. (Claims that a StatefulSet creates from its own templates are
not reported, nor are those that come later in the trace: the pods wait for them.) Record
PersistentVolumeClaims too; or remove the volumes and their mounts, as the suggestion does.`,
		object:  n.check,
		finish:  n.finish,
		suggest: n.suggest,
	}
}

func storageClassMissing() *Rule {
	return &Rule{
		Code: "E0108", Name: "storage_class_missing", Severity: Error,
		Title: "A claim needs a StorageClass that is not in the trace.",
		Help: `Such a claim gets no volume, and its pods stay pending for the whole replay, unless the cluster of the
replay has the class. The embedded cluster provisions volumes for the classes of the trace and for a
default class (standard). Record StorageClasses too; or remove the name of the class, as the
suggestion does, so that the default class is used. Claims with a recorded volume are not reported.`,
		finish: func(c *Checker, rule *Rule, _ *trace.Tail) {
			for _, class := range c.volumes.Needs().Classes {
				for _, use := range class.Uses {
					c.add(findingKey{rule, objectKey{use.GVK.GroupKind(), use.Name}, use.Path, class.Name}, &Finding{
						Rule: rule, Object: &Object{GVK: use.GVK, Name: use.Name}, Path: use.Path,
						Message: fmt.Sprintf("the StorageClass %q is not in the trace", class.Name),
						Event:   use.Event, Time: use.Time, Count: 1,
					})
				}
			}
		},
		suggest: func(c *Checker, _ *Rule, p *program) {
			for _, class := range c.volumes.Needs().Classes {
				for _, use := range class.Uses {
					suggestDefaultClass(p, use)
				}
			}
		},
	}
}

// suggestDefaultClass removes the name of a class.
func suggestDefaultClass(p *program, use volumes.Use) {
	namespace, name := trace.SplitNamespacedName(use.Name)
	if use.Path == "" {
		p.comment("%s %s: remove the name of the class from the volume claim templates of its pods.", use.GVK.Kind, use.Name)
		return
	}
	p.command("remove(%s && metadata.name == %s, %s);", objectSelector(use.GVK, namespace), quote(name), use.Path)
}
