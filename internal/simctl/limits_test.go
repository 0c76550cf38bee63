package simctl

import (
	"context"
	"errors"
	"testing"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"sigs.k8s.io/controller-runtime/pkg/client"

	simkubev1 "simkube.io/simkube/api/v1"
)

// noObjects is a cluster without any.
type noObjects struct{ client.Client }

func (noObjects) Get(_ context.Context, key client.ObjectKey, _ client.Object, _ ...client.GetOption) error {
	return apierrors.NewNotFound(schema.GroupResource{}, key.Name)
}

// Commands run with the controller's rights; where they are forbidden, actions go on, and nothing is begun that a
// command would have to undo.
func TestForbidHookCommands(t *testing.T) {
	command, action := simkubev1.SimulationHook{Cmd: "true"}, simkubev1.SimulationHook{Apply: &simkubev1.ApplyAction{}}
	for name, tc := range map[string]struct {
		forbidden bool
		hooks     simkubev1.SimulationHooks
		begun     []simkubev1.HookRecord
		want      string
	}{
		"actions":         {true, simkubev1.SimulationHooks{PostStopHooks: []simkubev1.SimulationHook{action}}, nil, ""},
		"in the driver":   {true, simkubev1.SimulationHooks{PreRunHooks: []simkubev1.SimulationHook{command}}, nil, ""},
		"allowed":         {false, simkubev1.SimulationHooks{PostStopHooks: []simkubev1.SimulationHook{command}}, nil, ""},
		"begun before":    {true, simkubev1.SimulationHooks{PostStopHooks: []simkubev1.SimulationHook{command}}, []simkubev1.HookRecord{{}}, ""},
		"before anything": {true, simkubev1.SimulationHooks{PreStartHooks: []simkubev1.SimulationHook{action, command}}, nil, "PreStart hook 1 is a command (true)"},
		"in the end":      {true, simkubev1.SimulationHooks{PostStopHooks: []simkubev1.SimulationHook{command}}, nil, "PostStop hook 0 is a command (true)"},
	} {
		t.Run(name, func(t *testing.T) {
			sim := simulationIn("Initializing")
			sim.Spec.Hooks, sim.Status.Hooks = &tc.hooks, tc.begun
			s := &session{controller: &controller{opts: Options{ForbidHookCommands: tc.forbidden}, client: noObjects{}}, sim: sim}
			got := s.checkHookCommands(t.Context())
			var failed *failure
			switch {
			case tc.want == "" && got != nil:
				t.Errorf("got %v, want no failure", got)
			case tc.want != "" && (!errors.As(got, &failed) || failed.reason != reasonHookCommand || failed.message[:len(tc.want)] != tc.want):
				t.Errorf("got %v, want one that begins with %q", got, tc.want)
			}
		})
	}
}
