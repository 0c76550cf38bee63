package scratch

import (
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// holdVariable makes the test binary hold a folder until it is killed.
const holdVariable = "SIMKUBE_TEST_HOLD"

func TestMain(m *testing.M) {
	parent := os.Getenv(holdVariable)
	if parent == "" {
		os.Exit(m.Run())
	}
	folder, err := New(parent, "held-")
	if err != nil {
		os.Exit(1)
	}
	_, _ = os.Stdout.WriteString(folder.Path() + "\n")
	time.Sleep(time.Hour)
}

// hold starts a process that holds a folder, and returns both.
func hold(t *testing.T, parent string) (*exec.Cmd, string) {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), os.Args[0])
	cmd.Env = append(os.Environ(), holdVariable+"="+parent)
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _, _ = cmd.Process.Kill(), cmd.Wait() })
	line := make([]byte, 4096)
	n, err := out.Read(line)
	if err != nil {
		t.Fatal(err)
	}
	return cmd, strings.TrimSpace(string(line[:n]))
}

func there(path string) bool {
	_, err := os.Stat(path)
	return err == nil
}

// A folder stays while its process is running, and the first sweep after the process was killed
// removes it.
func TestSweep(t *testing.T) {
	parent := t.TempDir()
	living, kept := hold(t, parent)
	dead, left := hold(t, parent)
	if err := os.WriteFile(filepath.Join(left, "data"), []byte("x"), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := dead.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	_ = dead.Wait() // it was killed

	Sweep(parent, "other-")
	if !there(left) {
		t.Error("a folder of another prefix was swept")
	}
	Sweep(parent, "held-")
	if there(left) {
		t.Error("the folder of a killed process was left")
	}
	if !there(kept) {
		t.Error("the folder of a living process was swept")
	}
	if err := living.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	_ = living.Wait()
	Sweep(parent, "held-")
	if there(kept) {
		t.Error("the folder was left when its process was killed, too")
	}
}

// Sweep keeps what this package did not create, whatever its name.
func TestSweep_Strangers(t *testing.T) {
	parent := t.TempDir()
	old := time.Now().Add(-time.Hour)
	for name, content := range map[string]string{"run-full": "thesis.tex", "run-locked": "lock", "run-empty": ""} {
		dir := filepath.Join(parent, name)
		if err := os.Mkdir(dir, 0o700); err != nil {
			t.Fatal(err)
		}
		if content != "" {
			if err := os.WriteFile(filepath.Join(dir, content), nil, 0o600); err != nil {
				t.Fatal(err)
			}
		}
		if err := os.Chtimes(dir, old, old); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.Mkdir(filepath.Join(parent, "run-fresh"), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(parent, "run-file"), nil, 0o600); err != nil {
		t.Fatal(err)
	}
	Sweep(parent, "run-")
	for name, want := range map[string]bool{"run-full": true, "run-locked": true, "run-fresh": true, "run-file": true, "run-empty": false} {
		if got := there(filepath.Join(parent, name)); got != want {
			t.Errorf("%s: got there %t, want %t", name, got, want)
		}
	}
}

func TestFolder(t *testing.T) {
	parent := t.TempDir()
	folder, err := New(parent, "run-")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := Lock(folder.Join(LockFile)); !errors.Is(err, ErrLocked) {
		t.Errorf("lock it again: got error %v, want %v", err, ErrLocked)
	}
	if err := folder.Close(); err != nil {
		t.Error(err)
	}
	if there(folder.Path()) {
		t.Error("a closed folder is there")
	}
}

func TestSweepLogs(t *testing.T) {
	dir := t.TempDir()
	now := time.Now()
	for name, age := range map[string]time.Duration{"simkube-log-1.txt": KeepLogs + time.Hour, "simkube-log-2.txt": KeepLogs - time.Hour, "notes.txt": 10 * KeepLogs} {
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, nil, 0o600); err != nil {
			t.Fatal(err)
		}
		if err := os.Chtimes(path, now.Add(-age), now.Add(-age)); err != nil {
			t.Fatal(err)
		}
	}
	sweepLogs(dir, now)
	for name, want := range map[string]bool{"simkube-log-1.txt": false, "simkube-log-2.txt": true, "notes.txt": true} {
		if got := there(filepath.Join(dir, name)); got != want {
			t.Errorf("%s: got there %t, want %t", name, got, want)
		}
	}
}
