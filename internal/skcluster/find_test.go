package skcluster

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"simkube.io/simkube/internal/simulation"
)

func TestFind(t *testing.T) {
	t.Run("real", func(t *testing.T) { testFind(t, programFor(simulation.Real)) })
	t.Run("virtual", func(t *testing.T) { testFind(t, programFor(simulation.Virtual)) })
}

func testFind(t *testing.T, p program) {
	write := func(t *testing.T, mode os.FileMode) string {
		t.Helper()
		path := filepath.Join(t.TempDir(), p.name)
		if err := os.WriteFile(path, []byte("#!/bin/sh\n"), mode); err != nil {
			t.Fatal(err)
		}
		return path
	}
	named, beside, onPath := write(t, 0o755), write(t, 0o755), write(t, 0o755)
	self := filepath.Join(filepath.Dir(beside), "skctl")
	t.Setenv("PATH", filepath.Dir(onPath))

	for name, tc := range map[string]struct{ named, self, want string }{
		"named":   {named, self, named},
		"beside":  {"", self, beside},
		"on PATH": {"", filepath.Join(t.TempDir(), "skctl"), onPath},
	} {
		t.Run(name, func(t *testing.T) {
			got, err := find(p, tc.named, tc.self)
			if err != nil || got != tc.want {
				t.Errorf("find() = %q, %v, want %q", got, err, tc.want)
			}
		})
	}
	t.Run("named but missing", func(t *testing.T) {
		_, err := find(p, "/no/such/file", self)
		if !errors.Is(err, ErrNotFound) || !strings.Contains(err.Error(), p.env) {
			t.Errorf("error is %v, want one that names %s", err, p.env)
		}
	})
	t.Run("nowhere", func(t *testing.T) {
		t.Setenv("PATH", t.TempDir())
		_, err := find(p, "", filepath.Join(t.TempDir(), "skctl"))
		if !errors.Is(err, ErrNotFound) {
			t.Errorf("error is %v, want ErrNotFound", err)
		}
	})
	t.Run("beside but not executable", func(t *testing.T) {
		_, err := find(p, "", filepath.Join(filepath.Dir(write(t, 0o644)), "skctl"))
		if !errors.Is(err, ErrNotFound) || !errors.Is(err, os.ErrPermission) {
			t.Errorf("error is %v, want that it may not be run", err)
		}
	})
}
