package v1

// SimulationHooks are the commands run around a simulation, in the order given. A
// failing hook fails the simulation unless it says otherwise.
type SimulationHooks struct {
	// PreStartHooks run once before anything is set up.
	// +optional
	PreStartHooks []SimulationHook `json:"preStartHooks,omitempty"`
	// PreRunHooks run before each repetition.
	// +optional
	PreRunHooks []SimulationHook `json:"preRunHooks,omitempty"`
	// PostRunHooks run after each repetition.
	// +optional
	PostRunHooks []SimulationHook `json:"postRunHooks,omitempty"`
	// PostStopHooks run once after the last repetition is cleaned up.
	// +optional
	PostStopHooks []SimulationHook `json:"postStopHooks,omitempty"`
}

// SimulationHook is one command.
type SimulationHook struct {
	// Cmd is the program.
	Cmd string `json:"cmd"`
	// Args are its arguments.
	// +optional
	Args []string `json:"args,omitempty"`
	// IgnoreFailure lets the simulation go on when the command fails. Default: false.
	// +optional
	IgnoreFailure bool `json:"ignoreFailure,omitempty"`
	// SendSim writes the Simulation as JSON to the command's standard input.
	// Default: false.
	// +optional
	SendSim bool `json:"sendSim,omitempty"`
}
