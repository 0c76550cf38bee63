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

// TestSeed_NotInEnvironment has a seed come too late, when only the spec knows of it.
func TestSeed_NotInEnvironment(t *testing.T) {
	t.Setenv(virtualtime.SeedVariable, "8")
	if err := seed(7); err == nil || !strings.Contains(err.Error(), virtualtime.SeedVariable) {
		t.Errorf("got %v, want an error that names %s", err, virtualtime.SeedVariable)
	}
	t.Setenv(virtualtime.SeedVariable, "7")
	for _, s := range []uint64{0, 7} {
		if err := seed(s); err != nil {
			t.Errorf("seed %d: %v", s, err)
		}
	}
}
