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

// classify returns the category of an error, and whether a retry may succeed.
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
		// There was no response: the connection failed, or timed out.
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
		return UnknownKind, errors.Is(err, errNewKind)
	case http.StatusUnprocessableEntity:
		if saysImmutable(status) {
			return Immutable, false
		}
		return Rejected, false
	case http.StatusForbidden:
		// A namespace that is being deleted can be created again. A new namespace has no service account
		// for a moment, and the API server sees a new priority class late.
		return Rejected, isTerminating(err) ||
			strings.Contains(status.Message, `serviceaccount "default" not found`) ||
			strings.Contains(status.Message, "no PriorityClass with name")
	case http.StatusConflict, http.StatusTooManyRequests:
		return Other, true
	case http.StatusInternalServerError:
		// The API server reports unknown fields and duplicate keys of an apply this way.
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

// isTerminating reports whether a request was refused because its namespace is being deleted.
func isTerminating(err error) bool {
	return apierrors.HasStatusCause(err, corev1.NamespaceTerminatingCause)
}

// saysImmutable reports whether validation rejected a change of an immutable field.
func saysImmutable(status metav1.Status) bool {
	for _, words := range []string{
		"immutable", "updates to ", "updates may not", "may not be changed", "may not change", "cannot be changed", "cannot change",
		"can not be modified", "can not be unset",
	} {
		if strings.Contains(status.Message, words) {
			return true
		}
	}
	return false
}
