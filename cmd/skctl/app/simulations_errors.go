package app

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/validate/content"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"simkube.io/simkube/internal/words"
)

// shownNames is how many names an error lists at most.
const shownNames = 10

// errGone is returned if a simulation was deleted while a command waited for it.
var errGone = errors.New("it was deleted")

// explain converts an error of the API server to one for users.
func (s *simulations) explain(ctx context.Context, verb, name string, err error) error {
	what := "simulation " + name
	if name == "" {
		what = "simulations"
	}
	if wrong := content.IsPathSegmentName(name); len(wrong) > 0 {
		return &usageError{err: fmt.Errorf("invalid NAME %q: %s", name, strings.Join(wrong, "; ")), hint: "it must be the name of a simulation, as " + s.program + " get prints it"}
	}
	switch wrapped := fmt.Errorf("%s %s: %w", verb, what, err); {
	case errors.Is(context.Cause(ctx), errInterrupted):
		return context.Cause(ctx)
	case isKindMissing(err):
		return hint(fmt.Errorf("%s %s: the cluster does not have the kind Simulation", verb, what),
			"to install it, run %s crd | kubectl apply -f -", s.program)
	case apierrors.IsNotFound(err):
		return s.notFound(ctx, name)
	case apierrors.IsAlreadyExists(err):
		return hint(fmt.Errorf("create simulation %s: it already exists", name),
			"use another name, or delete it: %s delete --wait %s", s.program, name)
	case apierrors.IsForbidden(err):
		return hint(wrapped, "ask an administrator for the permission; skctl uses the verbs get, list, watch, create, patch and delete for simulations.simkube.io")
	case apierrors.IsUnauthorized(err):
		return hint(wrapped, "log in to the cluster again, or select another one with --kubeconfig and --context")
	case apierrors.ReasonForError(err) == metav1.StatusReasonUnknown:
		return hint(fmt.Errorf("connect to the cluster at %s: %w", s.config.Host, err), "check the cluster in --kubeconfig and --context")
	default:
		return wrapped
	}
}

// isKindMissing reports whether the API server does not serve the path, as opposed to not having
// the object.
func isKindMissing(err error) bool {
	var status apierrors.APIStatus
	if !errors.As(err, &status) || !apierrors.IsNotFound(err) {
		return false
	}
	details := status.Status().Details
	return details == nil || slices.ContainsFunc(details.Causes, func(cause metav1.StatusCause) bool {
		return cause.Type == metav1.CauseTypeUnexpectedServerResponse
	})
}

func (s *simulations) notFound(ctx context.Context, name string) error {
	err := fmt.Errorf("simulation %s does not exist", name)
	names, listErr := s.names(ctx)
	switch {
	case listErr != nil:
		return err
	case len(names) == 0:
		return hint(err, "there are no simulations; %s run creates one", s.program)
	case len(names) == 1:
		return hint(err, "the only one is %s", names[0])
	}
	return hint(err, "it must be one of %s", words.First(shownNames, names...))
}

// names returns the names of all simulations in order. It returns the API server's errors
// unchanged.
func (s *simulations) names(ctx context.Context) ([]string, error) {
	ctx, cancel := context.WithTimeout(ctx, apiTimeout)
	defer cancel()
	list, err := s.List(ctx, metav1.ListOptions{})
	if err != nil {
		return nil, err
	}
	names := make([]string, 0, len(list.Items))
	for _, item := range list.Items {
		names = append(names, item.GetName())
	}
	slices.Sort(names)
	return names, nil
}
