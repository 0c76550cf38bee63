package controlplane

import (
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"

	rbacv1 "k8s.io/api/rbac/v1"
	"k8s.io/apimachinery/pkg/util/validation"
	"k8s.io/client-go/rest"
)

// Component is a client of the API server that belongs to the control plane, such as a scheduler, a
// controller manager or an autoscaler. kube-controller-manager, kube-scheduler and KWOK are built
// in; Options.Components adds others.
//
// In virtual time a component must use package time for everything that waits. It must neither
// listen nor reach anything but the API server, and no goroutine of it may block in a system call,
// during which time stands still.
type Component struct {
	// Name identifies the component in errors. It must be a DNS label and differ from the names of all
	// others.
	Name string
	// User is the name that the component authenticates with; empty means Name. It must differ from
	// those of all others.
	User string
	// Groups are the user's groups. A member of system:masters may do everything.
	Groups []string
	// Rules are what the user may do, in all namespaces, beside what its groups may. Start makes a
	// ClusterRole of them and binds it to the user.
	Rules []rbacv1.PolicyRule
	// Outside makes Access.Kubeconfig work in other processes: its requests use the network. It is for
	// a component that runs a program of its own, which virtual time does not allow.
	Outside bool
	// CRDs are manifests of CustomResourceDefinitions, which are served before the first component is
	// started.
	CRDs []Manifest
	// Start prepares the component. Components are started one after another, in order, and not before
	// the API server is ready. ctx ends when the component is to stop, which may be during Start.
	Start func(ctx context.Context, access Access) (Instance, error)
}

// Instance is a component that was started.
type Instance struct {
	// Run runs the component until ctx ends, which is the context that Start was called with. If Run
	// returns earlier, with an error or nil, the component has failed, see ControlPlane.Done. Run must
	// not be nil.
	Run func(ctx context.Context) error
	// Ready returns nil once the component does its work, or an error when ctx ends before that. It is
	// called while Run runs. A component without Ready is ready when it was started.
	Ready func(ctx context.Context) error
}

// Access is how a component reaches the API server, and where it logs to.
type Access struct {
	// Config authenticates as the component's user. Requests stay in the process and have no
	// client-side rate limit. It is the component's own copy.
	Config *rest.Config
	// Kubeconfig is the path of a file with the same content, for code that reads one. It is of use in
	// this process only, unless Component.Outside is set.
	Kubeconfig string
	// Log receives the component's text log. It is not nil, and safe for concurrent use. What is
	// logged with klog goes there already.
	Log io.Writer
	// Verbosity is how much to log, as klog's -v.
	Verbosity int

	dir       *dataDir
	transport *clientTransport
}

// builtinComponents returns the components that every control plane has.
func builtinComponents(opts Options, queue *podQueue) ([]Component, error) {
	stages, err := opts.allStages()
	if err != nil {
		return nil, err
	}
	return []Component{controllerManager(opts), kubeScheduler(opts, queue), kwok(opts, stages, kwokTimeout)}, nil
}

// userName returns the name that the component authenticates with.
func (c *Component) userName() string {
	if c.User == "" {
		return c.Name
	}
	return c.User
}

// validateComponents returns everything that is wrong with the components.
func validateComponents(components []Component) error {
	var problems []error
	names := []string{nameEtcd, nameAPIServer}
	users := []string{userAdmin, userReplay}
	for _, c := range components {
		if wrong := validation.IsDNS1123Label(c.Name); len(wrong) > 0 {
			problems = append(problems, fmt.Errorf("invalid component name %q: %s", c.Name, strings.Join(wrong, "; ")))
		}
		if slices.Contains(names, c.Name) {
			problems = append(problems, fmt.Errorf("invalid component name %q: must be unique", c.Name))
		}
		if slices.Contains(users, c.userName()) {
			problems = append(problems, fmt.Errorf("invalid user %q of component %s: must be unique", c.userName(), c.Name))
		}
		if c.Start == nil {
			problems = append(problems, fmt.Errorf("component %s has no Start function", c.Name))
		}
		names, users = append(names, c.Name), append(users, c.userName())
	}
	return errors.Join(problems...)
}
