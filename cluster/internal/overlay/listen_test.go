package main

import (
	"bufio"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// A process in virtual time receives input, even while it is so busy that its clock stands still
// and none of its threads has time to poll; with a seed and without.
func TestFiles_Listen(t *testing.T) {
	dir := t.TempDir()
	binary := build(t, dir, "./testdata/listen")
	for _, busy := range []string{"taking turns", "talking", "alone", "jumping"} {
		for name, env := range map[string][]string{
			"seed":           {"SIMKUBE_SEED=7", "GOMAXPROCS=1"},
			"one processor":  {"GOMAXPROCS=1"},
			"two processors": {"GOMAXPROCS=2"},
		} {
			t.Run(busy+", "+name, func(t *testing.T) {
				cmd := exec.CommandContext(t.Context(), binary, busy)
				cmd.Env = env
				in, err := cmd.StdinPipe()
				if err != nil {
					t.Fatal(err)
				}
				said, err := cmd.StderrPipe()
				if err != nil {
					t.Fatal(err)
				}
				if err := cmd.Start(); err != nil {
					t.Fatal(err)
				}
				// The program's output is framed for the playground.
				if line, err := bufio.NewReader(said).ReadString('\n'); !strings.HasSuffix(line, "busy\n") {
					t.Fatalf("it said %q (%v)", line, err)
				}
				time.Sleep(100 * time.Millisecond) // until it is busy
				began := time.Now()
				limit := time.AfterFunc(10*time.Second, func() { _ = cmd.Process.Kill() })
				defer limit.Stop()
				if _, err := io.WriteString(in, "x"); err != nil {
					t.Fatal(err)
				}
				if err := cmd.Wait(); err != nil {
					t.Fatalf("it did not hear anything: %v", err)
				}
				t.Logf("it ended after %s", time.Since(began))
			})
		}
	}
}

// Goroutines that wake each other by turns let others run, though their time slice never ends by
// the clock.
func TestFiles_Turns(t *testing.T) {
	binary := build(t, t.TempDir(), "./testdata/listen")
	for _, busy := range []string{"taking turns", "talking"} {
		for _, env := range []string{"SIMKUBE_SEED=7", "SIMKUBE_SEED=0"} {
			t.Run(busy+" "+env, func(t *testing.T) {
				cmd := exec.CommandContext(t.Context(), binary, busy, "by itself")
				cmd.Env = []string{env, "GOMAXPROCS=1"}
				in, err := cmd.StdinPipe()
				if err != nil {
					t.Fatal(err)
				}
				defer in.Close()
				if err := cmd.Start(); err != nil {
					t.Fatal(err)
				}
				limit := time.AfterFunc(10*time.Second, func() { _ = cmd.Process.Kill() })
				defer limit.Stop()
				if err := cmd.Wait(); err != nil {
					t.Errorf("it got no turn: %v", err)
				}
			})
		}
	}
}

// build compiles a program for virtual time.
func build(t *testing.T, dir, source string) (binary string) {
	t.Helper()
	// Reading it makes go test's cached result depend on it.
	if _, err := os.ReadFile(filepath.Join(source, "main.go")); err != nil {
		t.Fatal(err)
	}
	if err := write(dir); err != nil {
		t.Fatal(err)
	}
	binary = filepath.Join(dir, filepath.Base(source))
	cmd := exec.CommandContext(t.Context(), "go", "build", "-tags", "faketime", "-overlay", filepath.Join(dir, "overlay.json"), "-o", binary, source)
	cmd.Env = append(os.Environ(), "CGO_ENABLED=0")
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("build: %v\n%s", err, out)
	}
	return binary
}
