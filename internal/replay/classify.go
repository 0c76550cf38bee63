package replay

import (
	"errors"
	"net/http"
	"strings"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// classify says what kind of problem an error is, and whether it may pass.
func classify(err error) (category Category, passing bool) {
	if known, ok := errors.AsType[*taskError](err); ok {
		return known.category, false
	}
	if meta.IsNoMatchError(err) {
		return UnknownKind, errors.Is(err, errNewKind)
	}
	if errors.Is(err, errPassing) {
		return Other, true
	}
	var status apierrors.APIStatus
	if !errors.As(err, &status) {
		// No answer: the connection failed, or there was none in time.
		return Other, true
	}
	return classifyStatus(err, status.Status())
}

func classifyStatus(err error, status metav1.Status) (category Category, passing bool) {
	switch status.Code {
	case http.StatusNotFound:
		if status.Details != nil && status.Details.Kind == "namespaces" {
			return Other, true
		}
		return UnknownKind, false
	case http.StatusUnprocessableEntity:
		if saysImmutable(status) {
			return Immutable, false
		}
		return Rejected, false
	case http.StatusForbidden:
		// Namespaces on their way out can be made again; those just made lack an account for a moment, and the server itself
		// takes one to see a priority class that was made just before.
		return Rejected, apierrors.HasStatusCause(err, corev1.NamespaceTerminatingCause) ||
			strings.Contains(status.Message, `serviceaccount "default" not found`) ||
			strings.Contains(status.Message, "no PriorityClass with name")
	case http.StatusConflict, http.StatusTooManyRequests:
		return Other, true
	case http.StatusInternalServerError:
		// That is how the server reports what does not fit an apply: unknown fields, the same key twice.
		if strings.Contains(status.Message, "failed to create typed patch object") {
			return Rejected, false
		}
		return Other, true
	}
	if status.Code >= http.StatusInternalServerError {
		return Other, true
	}
	return Rejected, false
}

// saysImmutable recognises the ways in which validation says that a field may not change any more.
func saysImmutable(status metav1.Status) bool {
	for _, words := range []string{"immutable", "updates to ", "updates may not", "may not be changed", "may not change"} {
		if strings.Contains(status.Message, words) {
			return true
		}
	}
	return false
}
