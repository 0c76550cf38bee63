// Package test runs the programs in bin/ as a user does. `make test` builds them first.
package test

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"
)

// runVariable marks every process that a test starts, and their children.
const runVariable = "SIMKUBE_TEST_RUN"

// sandbox is the environment of a test's commands, without anything of the user's. It can tell what
// they leave behind.
type sandbox struct {
	t   *testing.T
	dir string // the current folder of commands
	tmp string // their folder for temporary files
	env []string
	run string // value of runVariable
}

func newSandbox(t *testing.T) *sandbox {
	t.Helper()
	s := &sandbox{t: t, dir: t.TempDir(), tmp: t.TempDir()}
	s.run = s.tmp // an arbitrary unique text
	s.env = append(os.Environ(),
		runVariable+"="+s.run, "TMPDIR="+s.tmp, "HOME="+s.tmp, "XDG_STATE_HOME="+filepath.Join(s.tmp, "state"),
		"KUBECONFIG=", "SIMKUBE_SK_CLUSTER=", "NO_COLOR=")
	t.Cleanup(func() {
		for _, pid := range processes(s.run) {
			t.Errorf("process %d was left running", pid)
			_ = syscall.Kill(pid, syscall.SIGKILL)
		}
	})
	return s
}

// result is the result of a command.
type result struct {
	code           int
	stdout, stderr string
}

// skctl runs a command to its end.
func (s *sandbox) skctl(args ...string) result {
	s.t.Helper()
	cmd := s.start(args...)
	return cmd.wait()
}

// command is a running program.
type command struct {
	t      *testing.T
	cmd    *exec.Cmd
	stdout bytes.Buffer
	stderr watched
}

func (s *sandbox) start(args ...string) *command {
	s.t.Helper()
	return s.startProgram("skctl", args...)
}

// startProgram starts one of the programs in bin/.
func (s *sandbox) startProgram(name string, args ...string) *command {
	s.t.Helper()
	c := s.prepare(name, args...)
	if err := c.cmd.Start(); err != nil {
		s.t.Fatal(err)
	}
	return c
}

// prepare returns one of the programs in bin/, ready to be started.
func (s *sandbox) prepare(name string, args ...string) *command {
	s.t.Helper()
	c := &command{t: s.t, cmd: exec.CommandContext(s.t.Context(), binary(s.t, name), args...)}
	c.stderr.cond = sync.NewCond(&c.stderr.mu)
	c.cmd.Dir, c.cmd.Env = s.dir, s.env
	c.cmd.Stdout, c.cmd.Stderr = &c.stdout, &c.stderr
	c.cmd.WaitDelay = 10 * time.Second
	return c
}

func (c *command) wait() result {
	c.t.Helper()
	err := c.cmd.Wait()
	c.stderr.close()
	var exit *exec.ExitError
	if err != nil && !errors.As(err, &exit) {
		c.t.Fatalf("%v\n%s", err, c.stderr.text())
	}
	return result{code: c.cmd.ProcessState.ExitCode(), stdout: c.stdout.String(), stderr: c.stderr.text()}
}

// signal sends a signal to the program and not to its children.
func (c *command) signal(sig os.Signal) {
	c.t.Helper()
	if err := c.cmd.Process.Signal(sig); err != nil {
		c.t.Fatal(err)
	}
}

// watched collects standard error so that a test can wait for a line.
type watched struct {
	mu     sync.Mutex // guards buf and closed
	cond   *sync.Cond
	buf    bytes.Buffer
	closed bool
}

func (w *watched) Write(p []byte) (int, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	defer w.cond.Broadcast()
	return w.buf.Write(p)
}

func (w *watched) close() {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.closed = true
	w.cond.Broadcast()
}

func (w *watched) text() string {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.buf.String()
}

// waitFor waits until the program has printed a line with all these parts to standard error.
func (c *command) waitFor(parts ...string) {
	c.t.Helper()
	stop := context.AfterFunc(c.t.Context(), c.stderr.close)
	defer stop()
	w := &c.stderr
	w.mu.Lock()
	defer w.mu.Unlock()
	for {
		lines := bufio.NewScanner(bytes.NewReader(w.buf.Bytes()))
		for lines.Scan() {
			if containsAll(lines.Text(), parts) {
				return
			}
		}
		if w.closed {
			c.t.Fatalf("no line has %q:\n%s", parts, w.buf.String())
		}
		w.cond.Wait()
	}
}

func containsAll(text string, parts []string) bool {
	for _, part := range parts {
		if !strings.Contains(text, part) {
			return false
		}
	}
	return true
}

// check fails unless the command ended with this code.
func (r result) check(t *testing.T, code int) {
	t.Helper()
	if r.code != code {
		t.Fatalf("exit code %d, want %d\nstandard output:\n%s\nstandard error:\n%s", r.code, code, r.stdout, r.stderr)
	}
}

// wants fails unless the text has all the parts.
func wants(t *testing.T, what, text string, parts ...string) {
	t.Helper()
	for _, part := range parts {
		if !strings.Contains(text, part) {
			t.Errorf("%s lacks %q:\n%s", what, part, text)
		}
	}
}

// empty fails if a folder is not empty.
func empty(t *testing.T, dir string) {
	t.Helper()
	file, err := os.Open(dir)
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	names, err := file.Readdirnames(-1)
	if err != nil && !errors.Is(err, io.EOF) {
		t.Fatal(err)
	}
	if len(names) > 0 {
		t.Errorf("left behind in %s: %v", dir, names)
	}
}
