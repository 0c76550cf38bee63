package results

import (
	"cmp"
	"strings"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	simkubev1 "simkube.io/simkube/api/v1"
)

const (
	originalNamespaceAnnotation = simkubev1.AnnotationOriginalNamespace
	originalOwnerAnnotation     = simkubev1.AnnotationOriginalOwner
	podTemplateHashLabel        = "pod-template-hash"
)

// Owner is the object that made a pod in the recorded cluster.
type Owner struct {
	// Namespace is the original one.
	Namespace string `json:"namespace"`
	Kind      string `json:"kind"`
	Name      string `json:"name"`
}

// String returns the kind and the namespaced name: "Deployment default/web".
func (o Owner) String() string {
	if o.Namespace == "" {
		return o.Kind + " " + o.Name
	}
	return o.Kind + " " + o.Namespace + "/" + o.Name
}

// Compare orders owners by namespace, kind and name.
func (o Owner) Compare(other Owner) int {
	return cmp.Or(
		strings.Compare(o.Namespace, other.Namespace),
		strings.Compare(o.Kind, other.Kind),
		strings.Compare(o.Name, other.Name),
	)
}

// OwnerOf returns the topmost owner that is known from the pod itself:
//
//   - a ReplicaSet whose name ends in the pod's own pod-template-hash label is its Deployment;
//   - a Job whose name ends in the minute it was due (eight digits, as the CronJob controller names
//     them) is its CronJob;
//   - any other controller is the owner, of its own kind;
//   - a pod with no owner but the simulation's root is its own owner, of kind Pod; a clone of an
//     interrupted bare pod belongs to the pod it is a clone of.
func OwnerOf(pod *corev1.Pod) Owner {
	ns := originalNamespace(pod)
	ref := ownerRef(pod)
	if ref == nil {
		return Owner{Namespace: ns, Kind: "Pod", Name: barePodName(pod)}
	}
	switch ref.Kind {
	case kindReplicaSet:
		hash := pod.Labels[podTemplateHashLabel]
		if name, ok := strings.CutSuffix(ref.Name, "-"+hash); ok && hash != "" && name != "" {
			return Owner{Namespace: ns, Kind: kindDeployment, Name: name}
		}
	case kindJob:
		if name, ok := cronJobName(ref.Name); ok {
			return Owner{Namespace: ns, Kind: kindCronJob, Name: name}
		}
	}
	return Owner{Namespace: ns, Kind: ref.Kind, Name: ref.Name}
}

func originalNamespace(pod *corev1.Pod) string {
	if ns := pod.Annotations[originalNamespaceAnnotation]; ns != "" {
		return ns
	}
	return pod.Namespace
}

// ownerRef returns the controller or, if there is none, the first owner. It ignores the root that
// owns everything simulated.
func ownerRef(pod *corev1.Pod) *metav1.OwnerReference {
	var first *metav1.OwnerReference
	for i := range pod.OwnerReferences {
		ref := &pod.OwnerReferences[i]
		if ref.Kind == "SimulationRoot" && strings.HasPrefix(ref.APIVersion, "simkube.io/") {
			continue
		}
		if ref.Controller != nil && *ref.Controller {
			return ref
		}
		if first == nil {
			first = ref
		}
	}
	return first
}

// cronJobName removes the due time from the name of a CronJob's Job. The eight digits are minutes
// since 1970; the lower bound is the year of Kubernetes 1.0, which excludes dates such as 20240131.
func cronJobName(job string) (string, bool) {
	i := strings.LastIndexByte(job, '-')
	if i <= 0 || len(job)-i-1 != 8 {
		return "", false
	}
	digits := job[i+1:]
	if strings.Trim(digits, "0123456789") != "" || digits < "23900000" {
		return "", false
	}
	return job[:i], true
}

func barePodName(pod *corev1.Pod) string {
	if _, clone := pod.Annotations[originalOwnerAnnotation]; !clone {
		return pod.Name
	}
	if i := strings.LastIndex(pod.Name, "-clone-"); i > 0 {
		return pod.Name[:i]
	}
	return pod.Name
}
