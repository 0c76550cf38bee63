package simulator

import (
	"os"

	"k8s.io/kubernetes/cmd/kube-scheduler/app"

	"simkube.io/simkube/cluster/controlplane"
)

// Option changes the program that Main is.
type Option func(*additions)

// additions are what is added to the control plane.
type additions struct {
	components []controlplane.Component
	plugins    []app.Option
}

// WithComponent adds a component to the control plane. Components are started after the built-in
// ones, in the order of the options. If one of them stops by itself, the simulation fails with its
// name and error.
func WithComponent(component controlplane.Component) Option {
	return func(a *additions) { a.components = append(a.components, component) }
}

// WithSchedulerPlugins registers scheduler plugins, see app.WithPlugin. They are enabled by a
// scheduler configuration, as in any kube-scheduler: skctl simulate --scheduler-config.
func WithSchedulerPlugins(plugins ...app.Option) Option {
	return func(a *additions) { a.plugins = append(a.plugins, plugins...) }
}

// Main runs the command line of sk-cluster with the process's arguments, and returns its exit code
// for os.Exit: 0 if it is done, 1 if it failed, which it says on stderr. Main must be called before
// anything listens for signals.
func Main(options ...Option) int {
	var a additions
	for _, option := range options {
		option(&a)
	}
	return runCommand(os.Args[1:], os.Stdout, os.Stderr, a)
}
