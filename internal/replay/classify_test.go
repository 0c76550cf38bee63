package replay

import (
	"errors"
	"fmt"
	"io"
	"testing"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/util/validation/field"
)

func TestClassify(t *testing.T) {
	pods := schema.GroupResource{Resource: "pods"}
	invalid := func(detail *field.Error) error {
		return apierrors.NewInvalid(schema.GroupKind{Kind: "Pod"}, "p", field.ErrorList{detail})
	}
	terminating := apierrors.NewForbidden(pods, "p", errors.New("namespace x is being terminated"))
	terminating.ErrStatus.Details.Causes = []metav1.StatusCause{{Type: corev1.NamespaceTerminatingCause}}
	noMatch := &meta.NoKindMatchError{GroupKind: schema.GroupKind{Kind: "Widget"}}
	for name, c := range map[string]struct {
		err      error
		category Category
		passing  bool
	}{
		"unknown kind":           {noMatch, UnknownKind, false},
		"kind to come":           {fmt.Errorf("%w (%w)", noMatch, errNewKind), UnknownKind, true},
		"resource gone":          {apierrors.NewNotFound(pods, "p"), UnknownKind, false},
		"namespace gone":         {apierrors.NewNotFound(schema.GroupResource{Resource: "namespaces"}, "n"), Other, true},
		"namespace going":        {terminating, Rejected, true},
		"no default account":     {apierrors.NewForbidden(pods, "p", errors.New(`error looking up service account n/default: serviceaccount "default" not found`)), Rejected, true},
		"no such account":        {apierrors.NewForbidden(pods, "p", errors.New(`error looking up service account n/x: serviceaccount "x" not found`)), Rejected, false},
		"no such priority":       {apierrors.NewForbidden(pods, "p", errors.New("no PriorityClass with name urgent was found")), Rejected, true},
		"invalid":                {invalid(field.Required(field.NewPath("spec"), "")), Rejected, false},
		"immutable field":        {invalid(field.Invalid(field.NewPath("spec"), 1, "field is immutable")), Immutable, false},
		"immutable pod":          {invalid(field.Forbidden(field.NewPath("spec"), "pod updates may not change fields other than image")), Immutable, false},
		"immutable stateful set": {invalid(field.Forbidden(field.NewPath("spec"), "updates to statefulset spec for fields other than 'replicas' are forbidden")), Immutable, false},
		"not to be typed":        {apierrors.NewInternalError(errors.New("failed to create typed patch object (x): .y: field not declared in schema")), Rejected, false},
		"internal":               {apierrors.NewInternalError(errors.New("etcd leader changed")), Other, true},
		"conflict":               {apierrors.NewConflict(pods, "p", errors.New("changed")), Other, true},
		"too many requests":      {apierrors.NewTooManyRequests("wait", 1), Other, true},
		"unavailable":            {apierrors.NewServiceUnavailable("down"), Other, true},
		"connection lost":        {io.ErrUnexpectedEOF, Other, true},
		"going":                  {fmt.Errorf("x: %w", errPassing), Other, true},
		"not ours":               {fmt.Errorf("x: %w", &taskError{NotOurs, errNotOurs}), NotOurs, false},
	} {
		t.Run(name, func(t *testing.T) {
			if category, passing := classify(c.err); category != c.category || passing != c.passing {
				t.Errorf("classify(%v) = %s, %t, want %s, %t", c.err, category, passing, c.category, c.passing)
			}
		})
	}
}
