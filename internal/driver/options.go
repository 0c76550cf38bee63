package driver

import (
	"crypto/tls"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"path/filepath"
	"strings"

	"k8s.io/apimachinery/pkg/util/validation"
	"k8s.io/client-go/rest"
	"k8s.io/utils/clock"

	simkubev1 "simkube.io/simkube/api/v1"
	"simkube.io/simkube/storage"
)

// Options are the options of a driver.
type Options struct {
	// Config reaches the API server. Required.
	Config *rest.Config
	// Simulation is the name of the Simulation. Required.
	Simulation string
	// ControllerNamespace is the namespace of the lease by which simulations take turns. Required.
	ControllerNamespace string
	// Pod and Namespace are those of the pod of this process. Required.
	Pod, Namespace string
	// TracePath is the path of the trace, or a URL of package storage. Required.
	TracePath string
	// Webhook is the listener for admission reviews over TLS; Run closes it. Required.
	Webhook net.Listener
	TLS     *tls.Config
	// Metrics is the listener for /metrics without TLS; nil means that there are none. Run closes it.
	Metrics net.Listener
	// WorkDir is a folder for temporary files. Required.
	WorkDir string
	// ClaimDir is the mount point of the volume of spec.results.
	ClaimDir string
	// FailFast ends the simulation with the first object that cannot be applied or deleted.
	FailFast bool
	// Version is the version of the program, for the results.
	Version string
	// Storage reads the trace and stores the results; nil means a client with the environment's
	// credentials.
	Storage *storage.Client
	// Logger is required.
	Logger *slog.Logger
	// Clock is the clock of the replay; nil means the system's clock.
	Clock clock.WithTicker
}

func (o *Options) complete() error {
	for what, missing := range map[string]bool{
		"API server": o.Config == nil, "simulation": o.Simulation == "", "controller's namespace": o.ControllerNamespace == "",
		"pod": o.Pod == "", "namespace": o.Namespace == "", "trace": o.TracePath == "", "listener": o.Webhook == nil,
		"certificate": o.TLS == nil, "work folder": o.WorkDir == "", "logger": o.Logger == nil,
	} {
		if missing {
			return errors.New("no " + what)
		}
	}
	for what, name := range map[string]string{
		"simulation": o.Simulation, "controller's namespace": o.ControllerNamespace, "pod": o.Pod, "namespace": o.Namespace,
	} {
		if wrong := validation.IsDNS1123Subdomain(name); len(wrong) > 0 {
			return fmt.Errorf("invalid name of the %s %q: %s", what, name, strings.Join(wrong, "; "))
		}
	}
	if o.Clock == nil {
		o.Clock = clock.RealClock{}
	}
	return nil
}

// keepsFolder reports whether the results of a repetition stay in its output folder.
func keepsFolder(sim *simkubev1.Simulation) bool {
	return sim.Spec.Results != nil && sim.Spec.Results.PersistentVolumeClaim != ""
}

// output returns the folder for the results of a repetition.
func (o *Options) output(sim *simkubev1.Simulation, run string) string {
	if keepsFolder(sim) {
		return filepath.Join(o.ClaimDir, sim.Name, run)
	}
	return filepath.Join(o.WorkDir, "results", run)
}
