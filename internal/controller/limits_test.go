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

// noObjects is a cluster without any, or, if found, with all.
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

// checkFailure fails the test unless got is a failure for this reason whose message begins with
// want; with an empty reason, unless it is nil.
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

// Commands run with the controller's rights; where they are forbidden, actions go on, and nothing
// is begun that a command would have to undo.
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

// TestLimits_Driver holds that no driver gets an image or a file of its node that is not allowed,
// and that what was begun goes on.
func TestLimits_Driver(t *testing.T) {
	for name, tc := range map[string]struct {
		image, trace string
		skip         string
		begun        bool
		reason, want string
	}{
		"allowed":           {"simkube/sk-driver:v1", "file:///data/trace", "", false, "", ""},
		"in a bucket":       {"simkube/sk-driver:v1", "s3://bucket/etc/shadow", "", false, "", ""},
		"image":             {"evil.example/sk-driver", "file:///data/trace", "", false, reasonImageForbidden, `spec.driver.image "evil.example/sk-driver" is not one that sk-ctrl runs (--allowed-driver-images: simkube/sk-driver)`},
		"file":              {"simkube/sk-driver", "file:///etc/shadow", "", false, reasonTraceForbidden, `spec.driver.tracePath "file:///etc/shadow" is the file /etc/shadow of a node`},
		"path":              {"simkube/sk-driver", "/etc/shadow", "", false, reasonTraceForbidden, `spec.driver.tracePath "/etc/shadow" is`},
		"traversal":         {"simkube/sk-driver", "/data/../etc/shadow", "", false, reasonTraceForbidden, `spec.driver.tracePath "/data/../etc/shadow" is the file /etc/shadow`},
		"escaped":           {"simkube/sk-driver", "file:///data/%2e%2e/etc/shadow", "", false, reasonTraceForbidden, `spec.driver.tracePath "file:///data/%2e%2e/etc/shadow" is the file /etc/shadow`},
		"two slashes":       {"simkube/sk-driver", "//etc/shadow", "", false, reasonTraceForbidden, `spec.driver.tracePath "//etc/shadow" is the file /etc/shadow`},
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

// limited is a session with the allow-lists of the flags' defaults.
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
