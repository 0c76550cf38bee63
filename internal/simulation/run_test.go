package simulation

import (
	"testing"

	"simkube.io/simkube/internal/nodes"
	"simkube.io/simkube/internal/results"
)

// The settings have the seed, if there is one, so that results can be reproduced.
func TestSession_Settings_Seed(t *testing.T) {
	for seed, want := range map[uint64]string{0: "", 7: "7", 1<<64 - 1: "18446744073709551615"} {
		s := session{Prepared: &Prepared{spec: Spec{Time: Virtual, Seed: seed}, plan: &nodes.Plan{}}}
		got, known := s.settings()[results.SettingSeed]
		if got != want || known != (want != "") {
			t.Errorf("seed %d: the setting is %q (there: %t), want %q", seed, got, known, want)
		}
	}
}
