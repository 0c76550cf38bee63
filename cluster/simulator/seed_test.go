package simulator

import (
	"strings"
	"testing"

	"simkube.io/simkube/cluster/internal/virtualtime"
	"simkube.io/simkube/internal/simulation"
)

// TestSeed_Variable holds that skctl and sk-cluster use the same variable.
func TestSeed_Variable(t *testing.T) {
	if virtualtime.SeedVariable != simulation.SeedVariable {
		t.Errorf("got %s and %s", virtualtime.SeedVariable, simulation.SeedVariable)
	}
}

// TestSeed_Environment holds that a simulation's seed must be that of the process.
func TestSeed_Environment(t *testing.T) {
	for _, test := range []struct {
		environment string
		spec        uint64
		ok          bool
	}{
		{"", 0, true},
		{"7", 7, true},
		{"", 7, false},
		{"8", 7, false},
		{"7", 0, false},
	} {
		t.Setenv(virtualtime.SeedVariable, test.environment)
		err := seed(test.spec)
		if (err == nil) != test.ok || err != nil && !strings.Contains(err.Error(), virtualtime.SeedVariable) {
			t.Errorf("%q in the environment, %d in the spec: got %v, want ok: %v", test.environment, test.spec, err, test.ok)
		}
	}
}
