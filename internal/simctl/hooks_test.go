package simctl

import (
	"errors"
	"testing"

	simkubev1 "simkube.io/simkube/api/v1"
)

// Commands run with the controller's rights; where they are forbidden, actions go on, and nothing is begun that a
// command would have to undo.
func TestForbidHookCommands(t *testing.T) {
	command, action := simkubev1.SimulationHook{Cmd: "true"}, simkubev1.SimulationHook{Apply: &simkubev1.ApplyAction{}}
	for name, tc := range map[string]struct {
		forbidden bool
		hooks     simkubev1.SimulationHooks
		want      string
	}{
		"actions":         {true, simkubev1.SimulationHooks{PostStopHooks: []simkubev1.SimulationHook{action}}, ""},
		"in the driver":   {true, simkubev1.SimulationHooks{PreRunHooks: []simkubev1.SimulationHook{command}}, ""},
		"allowed":         {false, simkubev1.SimulationHooks{PostStopHooks: []simkubev1.SimulationHook{command}}, ""},
		"before anything": {true, simkubev1.SimulationHooks{PreStartHooks: []simkubev1.SimulationHook{action, command}}, "PreStart hook 1 is a command (true)"},
		"in the end":      {true, simkubev1.SimulationHooks{PostStopHooks: []simkubev1.SimulationHook{command}}, "PostStop hook 0 is a command (true)"},
	} {
		t.Run(name, func(t *testing.T) {
			sim := simulationIn("Initializing")
			sim.Spec.Hooks = &tc.hooks
			s := &session{controller: &controller{opts: Options{ForbidHookCommands: tc.forbidden}}, sim: sim}
			var got error
			for phase, list := range map[simkubev1.HookPhase][]simkubev1.SimulationHook{
				simkubev1.HookPreStart: tc.hooks.PreStartHooks, simkubev1.HookPostStop: tc.hooks.PostStopHooks,
			} {
				got = errors.Join(got, s.checkHookCommands(phase, list))
			}
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
