package controlplane

import (
	"context"
	"testing"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/rest"
)

// KWOK deletes pods by name. It must not delete one that was created under the name of a pod that
// it has deleted already, unless a stage deletes that one too.
func TestDeletionAdmission(t *testing.T) {
	admin := clientset(t).CoreV1().Pods("default")
	config := shared.RESTConfig()
	config.Impersonate = rest.ImpersonationConfig{UserName: userKWOK, Groups: []string{"system:masters"}}
	client, err := kubernetes.NewForConfig(config)
	if err != nil {
		t.Fatal(err)
	}
	kwok := client.CoreV1().Pods("default")
	now := metav1.DeleteOptions{GracePeriodSeconds: new(int64(0))}

	create := func(name string, labels map[string]string) *corev1.Pod {
		// No scheduler and no kubelet changes it.
		pod, err := admin.Create(t.Context(), &corev1.Pod{
			ObjectMeta: metav1.ObjectMeta{Name: name, Labels: labels},
			Spec:       corev1.PodSpec{NodeName: "nowhere", Containers: []corev1.Container{{Name: "c", Image: "i"}}},
		}, metav1.CreateOptions{})
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = admin.Delete(context.WithoutCancel(t.Context()), name, now) })
		return pod
	}

	create("made-again", nil)
	if err := kwok.Delete(t.Context(), "made-again", now); !apierrors.IsForbidden(err) {
		t.Errorf("delete a pod that no stage deletes: got %v, want forbidden", err)
	}
	// Others may delete it, after which it is being deleted.
	if err := admin.Delete(t.Context(), "made-again", metav1.DeleteOptions{}); err != nil {
		t.Fatal(err)
	}
	if err := kwok.Delete(t.Context(), "made-again", now); err != nil {
		t.Errorf("delete a pod that is being deleted: %v", err)
	}

	pod := create("interrupted", map[string]string{"simkube.io/kwok-stage-interrupt": "true"})
	if err := kwok.Delete(t.Context(), pod.Name, now); !apierrors.IsForbidden(err) {
		t.Errorf("delete a pod that does not run yet: got %v, want forbidden", err)
	}
	pod.Status.Phase = corev1.PodRunning
	if _, err := admin.UpdateStatus(t.Context(), pod, metav1.UpdateOptions{}); err != nil {
		t.Fatal(err)
	}
	if err := kwok.Delete(t.Context(), pod.Name, now); err != nil {
		t.Errorf("delete a pod that a stage interrupts: %v", err)
	}
}
