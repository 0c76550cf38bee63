package controller

import (
	"context"
	"errors"
	"strings"
	"testing"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"sigs.k8s.io/controller-runtime/pkg/client"

	simkubev1 "simkube.io/simkube/api/v1"
	"simkube.io/simkube/internal/controller/allowlist"
)

// noObjects is a client that finds no object, or any object if found is true.
type noObjects struct {
	client.Client
	found bool
}

func (n noObjects) Get(_ context.Context, key client.ObjectKey, _ client.Object, _ ...client.GetOption) error {
	if n.found {
		return nil
	}
	return apierrors.NewNotFound(schema.GroupResource{}, key.Name)
}

// checkFailure checks that got is a failure with this reason, and that its message begins with
// want. If reason is empty, got must be nil.
func checkFailure(t *testing.T, got error, reason, want string) {
	t.Helper()
	var failed *failure
	switch {
	case reason == "" && got != nil:
		t.Errorf("got %v, want no failure", got)
	case reason != "" && (!errors.As(got, &failed) || failed.reason != reason || !strings.HasPrefix(failed.message, want)):
		t.Errorf("got %v, want %s: %s", got, reason, want)
	}
}

// Commands run with the controller's permissions. Where they are forbidden, actions still run, and
// a simulation with a command fails before anything is started that the command would undo.
func TestLimits_HookCommands(t *testing.T) {
	command, action := simkubev1.SimulationHook{Cmd: "true"}, simkubev1.SimulationHook{Apply: &simkubev1.ApplyAction{}}
	for name, tc := range map[string]struct {
		allowed bool
		hooks   simkubev1.SimulationHooks
		begun   []simkubev1.HookRecord
		want    string
	}{
		"actions":         {false, simkubev1.SimulationHooks{PostStopHooks: []simkubev1.SimulationHook{action}}, nil, ""},
		"in the driver":   {false, simkubev1.SimulationHooks{PreRunHooks: []simkubev1.SimulationHook{command}}, nil, ""},
		"allowed":         {true, simkubev1.SimulationHooks{PostStopHooks: []simkubev1.SimulationHook{command}}, nil, ""},
		"begun before":    {false, simkubev1.SimulationHooks{PostStopHooks: []simkubev1.SimulationHook{command}}, []simkubev1.HookRecord{{}}, ""},
		"before anything": {false, simkubev1.SimulationHooks{PreStartHooks: []simkubev1.SimulationHook{action, command}}, nil, "PreStart hook 1 is a command (true)"},
		"in the end":      {false, simkubev1.SimulationHooks{PostStopHooks: []simkubev1.SimulationHook{command}}, nil, "PostStop hook 0 is a command (true)"},
	} {
		t.Run(name, func(t *testing.T) {
			s := limited(t, Options{HookCommands: tc.allowed}, false)
			s.sim.Spec.Hooks, s.sim.Status.Hooks = &tc.hooks, tc.begun
			reason := ""
			if tc.want != "" {
				reason = reasonHookCommand
			}
			checkFailure(t, s.checkLimits(t.Context()), reason, tc.want)
		})
	}
}

// No driver gets an image or a file of its node that is not allowed. A driver that is running
// already continues.
func TestLimits_Driver(t *testing.T) {
	for name, tc := range map[string]struct {
		image, trace string
		skip         string
		begun        bool
		reason, want string
	}{
		"allowed":           {"simkube/sk-driver:v1", "file:///data/trace", "", false, "", ""},
		"in a bucket":       {"simkube/sk-driver:v1", "s3://bucket/etc/shadow", "", false, "", ""},
		"image":             {"evil.example/sk-driver", "file:///data/trace", "", false, reasonImageForbidden, `invalid spec.driver.image "evil.example/sk-driver": not allowed by sk-ctrl (--allowed-driver-images: simkube/sk-driver)`},
		"file":              {"simkube/sk-driver", "file:///etc/shadow", "", false, reasonTraceForbidden, `invalid spec.driver.tracePath "file:///etc/shadow": file /etc/shadow of a node`},
		"path":              {"simkube/sk-driver", "/etc/shadow", "", false, reasonTraceForbidden, `invalid spec.driver.tracePath "/etc/shadow": file`},
		"traversal":         {"simkube/sk-driver", "/data/../etc/shadow", "", false, reasonTraceForbidden, `invalid spec.driver.tracePath "/data/../etc/shadow": file /etc/shadow`},
		"escaped":           {"simkube/sk-driver", "file:///data/%2e%2e/etc/shadow", "", false, reasonTraceForbidden, `invalid spec.driver.tracePath "file:///data/%2e%2e/etc/shadow": file /etc/shadow`},
		"two slashes":       {"simkube/sk-driver", "//etc/shadow", "", false, reasonTraceForbidden, `invalid spec.driver.tracePath "//etc/shadow": file /etc/shadow`},
		"localhost":         {"simkube/sk-driver", "file://localhost/etc/shadow", "", false, reasonTraceForbidden, ""},
		"not mounted":       {"simkube/sk-driver", "/etc/shadow", "true", false, "", ""},
		"mounted after all": {"simkube/sk-driver", "/etc/shadow", "yes", false, reasonTraceForbidden, ""},
		"no path":           {"simkube/sk-driver", "file://etc/shadow", "", false, reasonInvalid, `invalid spec.driver.tracePath: "file://etc/shadow"`},
		"begun":             {"evil.example/sk-driver", "/etc/shadow", "", true, "", ""},
	} {
		t.Run(name, func(t *testing.T) {
			s := limited(t, Options{}, tc.begun)
			s.sim.Spec.Driver.Image, s.sim.Spec.Driver.TracePath = tc.image, tc.trace
			s.sim.Annotations = map[string]string{simkubev1.AnnotationSkipLocalVolumeMount: tc.skip}
			checkFailure(t, s.checkLimits(t.Context()), tc.reason, tc.want)
		})
	}
	s := limited(t, Options{}, true)
	s.sim.Spec.Driver.Image = "evil.example/sk-driver"
	checkFailure(t, s.checkDriverLimits(), reasonImageForbidden, "")
}

// limited returns a session with the default allow-lists of the flags.
func limited(t *testing.T, opts Options, begun bool) *session {
	t.Helper()
	var err error
	if opts.Images, err = allowlist.ParseImages([]string{"simkube/sk-driver"}); err != nil {
		t.Fatal(err)
	}
	if opts.TracePaths, err = allowlist.ParsePaths([]string{"/data"}); err != nil {
		t.Fatal(err)
	}
	sim := simulationIn("Initializing")
	sim.Spec.Driver = simkubev1.SimulationDriver{Image: "simkube/sk-driver:v1", Namespace: "simkube", TracePath: "file:///data/trace"}
	return &session{controller: &controller{opts: opts, client: noObjects{found: begun}}, sim: sim}
}
