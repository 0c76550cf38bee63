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

// shownNames is how many names are listed at most in an error.
const shownNames = 10

// errGone is returned when a simulation was deleted while it was waited for.
var errGone = errors.New("it was deleted")

// explain says in the user's words why something could not be done with a simulation.
func (s *simulations) explain(ctx context.Context, verb, name string, err error) error {
	what := "simulation " + name
	if name == "" {
		what = "simulations"
	}
	if wrong := content.IsPathSegmentName(name); len(wrong) > 0 {
		return &usageError{err: fmt.Errorf("invalid NAME %q: %s", name, strings.Join(wrong, "; ")), hint: "it is the name of a simulation, as " + s.program + " get prints it"}
	}
	switch wrapped := fmt.Errorf("%s %s: %w", verb, what, err); {
	case errors.Is(context.Cause(ctx), errInterrupted):
		return context.Cause(ctx)
	case isKindMissing(err):
		return hint(fmt.Errorf("%s %s: the cluster does not know the kind Simulation", verb, what),
			"install it: %s crd | kubectl apply -f -", s.program)
	case apierrors.IsNotFound(err):
		return s.notFound(ctx, name)
	case apierrors.IsAlreadyExists(err):
		return hint(fmt.Errorf("create simulation %s: there is one of that name already", name),
			"take another name, or remove it: %s delete --wait %s", s.program, name)
	case apierrors.IsForbidden(err):
		return hint(wrapped, "ask for the permission; verbs for simulations.simkube.io are get, list, watch, create, patch and delete")
	case apierrors.IsUnauthorized(err):
		return hint(wrapped, "log in to the cluster again; --kubeconfig and --context say which one is meant")
	case apierrors.ReasonForError(err) == metav1.StatusReasonUnknown:
		return hint(fmt.Errorf("reach the cluster at %s: %w", s.config.Host, err), "--kubeconfig and --context say which cluster is meant")
	default:
		return wrapped
	}
}

// isKindMissing tells a path that the API server does not serve from an object that is not there.
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
	err := fmt.Errorf("there is no simulation %s", name)
	names, listErr := s.names(ctx)
	switch {
	case listErr != nil:
		return err
	case len(names) == 0:
		return hint(err, "there are none at all; %s run makes one", s.program)
	case len(names) == 1:
		return hint(err, "there is %s", names[0])
	}
	return hint(err, "there are %s", words.First(shownNames, names...))
}

// names are those of all simulations, in order. Its errors are the API server's.
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
