package app

import (
	"strings"
	"testing"

	"simkube.io/simkube/cluster/internal/virtualtime"
	"simkube.io/simkube/internal/simulation"
)

// TestSeed_Variable holds that the one who starts a simulation and the one that runs it mean the same variable.
func TestSeed_Variable(t *testing.T) {
	if virtualtime.SeedVariable != simulation.SeedVariable {
		t.Errorf("got %s and %s", virtualtime.SeedVariable, simulation.SeedVariable)
	}
}

// TestSeed_Environment has the process's seed and the simulation's differ: then chance was at work with another seed before, or none.
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
