package admission

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"

	admissionv1 "k8s.io/api/admission/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

const reviewKind = "AdmissionReview"

// readReview reads a request that can be responded to, that is, one with a UID. It does not parse
// the object. It returns an HTTP status with an error.
func readReview(body io.Reader) (*admissionv1.AdmissionRequest, int, error) {
	data, err := io.ReadAll(body)
	if err != nil {
		status := http.StatusBadRequest
		if tooLarge := (*http.MaxBytesError)(nil); errors.As(err, &tooLarge) {
			status = http.StatusRequestEntityTooLarge
		}
		return nil, status, fmt.Errorf("read the review: %w", err)
	}
	var review admissionv1.AdmissionReview
	if err := json.Unmarshal(data, &review); err != nil {
		return nil, http.StatusBadRequest, fmt.Errorf("decode the review: %w", err)
	}
	if review.APIVersion != admissionv1.SchemeGroupVersion.String() || review.Kind != reviewKind {
		return nil, http.StatusBadRequest, fmt.Errorf("%q %q is not an %s of %s", review.APIVersion, review.Kind,
			reviewKind, admissionv1.SchemeGroupVersion)
	}
	if review.Request == nil || review.Request.UID == "" {
		return nil, http.StatusBadRequest, errors.New("the review has no request with a UID")
	}
	return review.Request, 0, nil
}

// podOf returns the pod that is to be created. Its namespace is that of the request, since it may
// be missing in the object.
func podOf(request *admissionv1.AdmissionRequest) (*corev1.Pod, error) {
	r := request.Resource
	if r.Group != "" || r.Version != "v1" || r.Resource != "pods" || request.SubResource != "" {
		return nil, fmt.Errorf("%s/%s %s/%s is not pods", r.Group, r.Version, r.Resource, request.SubResource)
	}
	if request.Operation != admissionv1.Create {
		return nil, fmt.Errorf("operation %q is not %s", request.Operation, admissionv1.Create)
	}
	if request.Namespace == "" {
		return nil, errors.New("the request has no namespace")
	}
	// A patch needs both parts to exist. A mutator does not read the status.
	var object struct {
		metav1.TypeMeta `json:",inline"`
		Metadata        *metav1.ObjectMeta `json:"metadata"`
		Spec            *corev1.PodSpec    `json:"spec"`
	}
	if err := json.Unmarshal(request.Object.Raw, &object); err != nil {
		return nil, fmt.Errorf("decode the pod: %w", err)
	}
	if object.APIVersion != "v1" || object.Kind != "Pod" || object.Metadata == nil || object.Spec == nil {
		return nil, errors.New("the object is not a pod")
	}
	pod := &corev1.Pod{TypeMeta: object.TypeMeta, ObjectMeta: *object.Metadata, Spec: *object.Spec}
	pod.Namespace = request.Namespace
	return pod, nil
}
