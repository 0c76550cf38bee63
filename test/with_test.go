package test

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"simkube.io/simkube/internal/results"
)

// fast are the arguments of a simulation on the wall clock that does not take long.
var fast = []string{"--time", "real", "--speed", "10", "-o", "out"}

// read returns the content of a file of the sandbox.
func (s *sandbox) read(path ...string) string {
	s.t.Helper()
	text, err := os.ReadFile(filepath.Join(append([]string{s.dir}, path...)...))
	must(s.t, err)
	return string(text)
}

// A program beside the replay can do everything in the cluster: the node that it creates becomes
// ready, and is in the results. A second program ends early without an error.
func TestWith(t *testing.T) {
	t.Parallel()
	s := newSandbox(t)
	s.env = append(s.env, "KUBECTL="+kubectlPath(t), "KUBECONFIG=/does/not/exist", "KUBECACHEDIR="+t.TempDir())
	const node = `{"apiVersion":"v1","kind":"Node","metadata":{"name":"outside"},
		"status":{"allocatable":{"cpu":"4","memory":"8Gi","pods":"110"},"capacity":{"cpu":"4","memory":"8Gi","pods":"110"}}}`
	must(t, os.WriteFile(filepath.Join(s.dir, "node.json"), []byte(node), 0o600))
	const program = `set -e
		echo "speed $SIMKUBE_SPEED"
		"$KUBECTL" auth can-i '*' '*' --all-namespaces
		"$KUBECTL" create -f node.json
		"$KUBECTL" wait --for=condition=Ready node/outside --timeout=60s
		trap 'echo asked to stop; exit 4' TERM
		while :; do sleep 1000 & wait; done`
	r := s.skctl(append([]string{"simulate", writeShop(t), "--with", program, "--with", "echo done >&2"}, fast...)...)
	r.check(t, done)
	const early = `--with "echo done >&2" ended with exit status 0 before the end of the replay`
	wants(t, "standard error", r.stderr, early)
	wants(t, "with-1.log", s.read("out", "with-1.log"), "speed 10\n", "yes\n", "node/outside created", "node/outside condition met", "asked to stop")
	if got := s.read("out", "with-2.log"); got != "done\n" {
		t.Errorf("with-2.log is %q, want done", got)
	}
	wants(t, results.ChecksumsFile, s.read("out", results.ChecksumsFile), "  with-1.log\n", "  with-2.log\n")
	run, err := results.Read(filepath.Join(s.dir, "out"))
	must(t, err)
	if !slices.ContainsFunc(run.Nodes, func(n results.NodeRow) bool { return n.Node == "outside" }) {
		t.Error("the results lack the node of the program")
	}
	if !slices.ContainsFunc(run.Summary.Notes, func(n results.Note) bool { return n.Text == early }) {
		t.Errorf("the results lack the note %q: %v", early, run.Summary.Notes)
	}
	if got := run.Summary.Run.Settings["program 2"]; got != "echo done >&2" {
		t.Errorf("the settings have %q, want the command", got)
	}
	empty(t, s.tmp)
}

// A program that fails ends the simulation, and its output is shown without terminal escapes.
func TestWith_Failure(t *testing.T) {
	t.Parallel()
	s := newSandbox(t)
	const program = `seq 100; printf '\033[31mno quota\033[0m\n'; sleep 1000 & exit 3`
	r := s.skctl("simulate", writeShop(t), "--time", "real", "--with", program, "-o", "out")
	r.check(t, failed)
	wants(t, "standard error", r.stderr, "--with \"seq 100; ", "ended with exit status 3 before the end of the replay",
		"\n    100\n", `    \x1b[31mno quota\x1b[0m`, "hint: its whole output is in "+s.tmp)
	if strings.Contains(r.stderr, "\n    50\n") || strings.ContainsRune(r.stderr, '\x1b') || strings.Contains(r.stderr, "control plane failed") {
		t.Errorf("standard error has too much:\n%s", r.stderr)
	}
	s.waitGone()
	logs, err := filepath.Glob(filepath.Join(s.tmp, "simkube-log-*.txt"))
	must(t, err)
	if len(logs) != 1 {
		t.Fatalf("got the logs %q, want 1", logs)
	}
	text, err := os.ReadFile(logs[0])
	must(t, err)
	wants(t, logs[0], string(text), "1\n2\n", "no quota")
	empty(t, s.dir)
}

// Nothing starts if the clock is virtual, which is the default.
func TestWith_Invalid(t *testing.T) {
	t.Parallel()
	s := newSandbox(t)
	r := s.skctl("simulate", writeShop(t), "--with", "touch started", "-o", "out")
	r.check(t, wrongUsage)
	wants(t, "standard error", r.stderr, `invalid --with "touch started": requires --time real`)
	empty(t, s.dir)
	s.skctl("simulate", writeShop(t), "--with", " ", "--time", "real").check(t, wrongUsage)
}

// Each repetition has a program of its own.
func TestWith_Repetitions(t *testing.T) {
	t.Parallel()
	s := newSandbox(t)
	s.skctl(append([]string{"simulate", writeShop(t), "-N", "2", "--with", `grep server: "$KUBECONFIG"; sleep 1000`}, fast...)...).check(t, done)
	first, second := s.read("out", "run-01", "with-1.log"), s.read("out", "run-02", "with-1.log")
	if !strings.Contains(first, "https://127.0.0.1:") || !strings.Contains(second, "https://127.0.0.1:") {
		t.Errorf("the programs have printed %q and %q, want the addresses of their API servers", first, second)
	}
	empty(t, s.tmp)
}

// However a simulation ends, no process of its programs is left.
func TestWith_Ends(t *testing.T) {
	t.Parallel()
	// The first process ignores SIGTERM, the second one ends with it.
	const program = `trap '' TERM; sh -c 'trap - TERM; exec sleep 1000' & touch started; while :; do sleep 1000; done`
	for name, end := range map[string]func(c *command, child int){
		"interrupt":          func(c *command, _ int) { c.signal(os.Interrupt) },
		"two interrupts":     func(c *command, _ int) { c.signal(os.Interrupt); c.signal(syscall.SIGTERM) },
		"kill -9 skctl":      func(c *command, _ int) { c.signal(os.Kill) },
		"kill -9 sk-cluster": func(c *command, child int) { kill(c.t, child) },
		"kill -9 both":       func(c *command, child int) { kill(c.t, child); _ = c.cmd.Process.Kill() },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := newSandbox(t)
			cmd := s.start("simulate", writeShop(t), "--time", "real", "-o", "out", "--with", program)
			cmd.waitFor("replaying", "events 1/3")
			child := childOf(t, cmd.cmd.Process.Pid)
			removeAfter(t, dataDirs(child))
			waitFile(t, filepath.Join(s.dir, "started"))
			end(cmd, child)
			r := cmd.wait()
			s.waitGone()
			if name == "interrupt" {
				r.check(t, interrupted)
				if _, err := os.Stat(filepath.Join(s.dir, "out", "with-1.log")); err != nil {
					t.Errorf("%v\n%s", err, r.stderr)
				}
			}
		})
	}
}

// waitFile waits until a file exists.
func waitFile(t *testing.T, path string) {
	t.Helper()
	for {
		if _, err := os.Stat(path); err == nil {
			return
		}
		select {
		case <-t.Context().Done():
			t.Fatal(t.Context().Err())
		case <-time.After(20 * time.Millisecond):
		}
	}
}
