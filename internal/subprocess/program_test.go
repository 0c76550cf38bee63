//go:build unix

package subprocess

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// The test's program is also its guard, and a process that starts a program and waits to be killed.
const (
	guardArg  = "guard-of-test"
	parentArg = "parent-of-test"
)

func TestMain(m *testing.M) {
	if len(os.Args) == 4 && os.Args[1] == guardArg {
		grace, err := time.ParseDuration(os.Args[2])
		if err == nil {
			err = Guard(os.Args[3], grace)
		}
		if err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		os.Exit(0)
	}
	if len(os.Args) == 3 && os.Args[1] == parentArg {
		if _, err := Start(options(os.Args[2], os.Stdout, time.Minute)); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		select {}
	}
	os.Exit(m.Run())
}

func options(command string, output *os.File, grace time.Duration) Options {
	self, err := os.Executable()
	if err != nil {
		panic(err)
	}
	return Options{
		Guard: []string{self, guardArg, grace.String(), command}, Command: command,
		Env: os.Environ(), Output: output, Grace: grace,
	}
}

// begin starts a command line and returns the path of its output.
func begin(t *testing.T, command string, grace time.Duration) (*Program, string) {
	t.Helper()
	path := filepath.Join(t.TempDir(), "output")
	output, err := os.Create(path)
	if err != nil {
		t.Fatal(err)
	}
	defer output.Close()
	p, err := Start(options(command, output, grace))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(p.Stop)
	return p, path
}

// lines waits until a file has n lines, and returns them.
func lines(t *testing.T, path string, n int) []string {
	t.Helper()
	for {
		text, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		if strings.Count(string(text), "\n") >= n {
			return strings.Split(strings.TrimSuffix(string(text), "\n"), "\n")
		}
		pause(t)
	}
}

func pause(t *testing.T) {
	t.Helper()
	select {
	case <-t.Context().Done():
		t.Fatal(t.Context().Err())
	case <-time.After(5 * time.Millisecond):
	}
}

// waitEnded waits until a process, which is no child of this one, has ended.
func waitEnded(t *testing.T, pid string) {
	t.Helper()
	id, err := strconv.Atoi(pid)
	if err != nil {
		t.Fatal(err)
	}
	for syscall.Kill(id, 0) == nil && !zombie(id) {
		pause(t)
	}
}

// zombie reports whether a process has ended and nobody has asked for its status.
func zombie(pid int) bool {
	stat, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	return err == nil && strings.HasPrefix(string(stat[strings.LastIndexByte(string(stat), ')'):]), ") Z")
}

func TestProgram_Exit(t *testing.T) {
	t.Parallel()
	for command, want := range map[string]Exit{
		"echo out; echo err >&2": {Status: "exit status 0", Success: true},
		"exit 3":                 {Status: "exit status 3"},
		"kill -9 $$":             {Status: "signal: killed"},
		"/does/not/exist":        {Status: "exit status 127"},
	} {
		p, path := begin(t, command, time.Minute)
		if got := p.Exit(); got != want {
			t.Errorf("%q: got %+v, want %+v", command, got, want)
		}
		if want.Success {
			if diff := cmp.Diff([]string{"out", "err"}, Tail(path, 10)); diff != "" {
				t.Errorf("output (-want +got):\n%s", diff)
			}
		}
	}
}

// SIGTERM reaches every process of the program, which may end in order.
func TestProgram_Stop(t *testing.T) {
	t.Parallel()
	p, path := begin(t, `trap 'echo stopping; exit 7' TERM; sleep 1000 & echo $!; wait`, time.Minute)
	child := lines(t, path, 1)[0]
	p.Stop()
	p.Stop()
	waitEnded(t, child)
	if got := p.Exit().Status; got != "exit status 7" {
		t.Errorf("got %s, want exit status 7", got)
	}
	if got := Tail(path, 1); len(got) != 1 || got[0] != "stopping" {
		t.Errorf("the last line is %q, want stopping", got)
	}
}

// A program that ignores SIGTERM is killed.
func TestProgram_Kill(t *testing.T) {
	t.Parallel()
	p, path := begin(t, `trap '' TERM; sleep 1000 & echo $!; wait; while :; do sleep 1; done`, time.Millisecond)
	child := lines(t, path, 1)[0]
	p.Stop()
	waitEnded(t, child)
	if got := p.Exit().Status; got != "signal: killed" {
		t.Errorf("got %s, want signal: killed", got)
	}
}

// What a program leaves in the background runs on, and ends with Stop.
func TestProgram_Background(t *testing.T) {
	t.Parallel()
	p, path := begin(t, `sleep 1000 & echo $!`, time.Minute)
	if got := p.Exit(); !got.Success {
		t.Errorf("got %+v, want success", got)
	}
	child := lines(t, path, 1)[0]
	id, err := strconv.Atoi(child)
	if err != nil {
		t.Fatal(err)
	}
	if err := syscall.Kill(id, 0); err != nil {
		t.Errorf("the process in the background has ended: %v", err)
	}
	p.Stop()
	waitEnded(t, child)
}

// The program ends with a killed guard, and with a killed parent.
func TestProgram_Killed(t *testing.T) {
	t.Parallel()
	const command = `echo $$; sleep 1000`
	t.Run("guard", func(t *testing.T) {
		t.Parallel()
		p, path := begin(t, command, time.Minute)
		program := lines(t, path, 1)[0]
		if err := p.guard.Process.Kill(); err != nil {
			t.Fatal(err)
		}
		if got, want := p.Exit().Status, "its guard ended with signal: killed"; got != want {
			t.Errorf("got %q, want %q", got, want)
		}
		waitEnded(t, program)
	})
	t.Run("parent", func(t *testing.T) {
		t.Parallel()
		path := filepath.Join(t.TempDir(), "output")
		output, err := os.Create(path)
		if err != nil {
			t.Fatal(err)
		}
		defer output.Close()
		self, err := os.Executable()
		if err != nil {
			t.Fatal(err)
		}
		parent := exec.Command(self, parentArg, command)
		parent.Stdout, parent.Stderr = output, output
		if err := parent.Start(); err != nil {
			t.Fatal(err)
		}
		program := lines(t, path, 1)[0]
		if err := parent.Process.Kill(); err != nil {
			t.Fatal(err)
		}
		_ = parent.Wait() // it was killed
		waitEnded(t, program)
	})
}

func TestStart_NoGuard(t *testing.T) {
	t.Parallel()
	opts := options("true", os.Stderr, time.Second)
	opts.Guard = []string{filepath.Join(t.TempDir(), "none")}
	if _, err := Start(opts); err == nil {
		t.Error("got no error for a guard that does not exist")
	}
	opts.Guard = []string{"sh", "-c", "exit 1"}
	if _, err := Start(opts); err == nil || !strings.Contains(err.Error(), "guard's report") {
		t.Errorf("got %v for a guard that reports nothing", err)
	}
}

func TestTail(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "log")
	for text, want := range map[string][]string{
		"":                              nil,
		"one":                           {"one"},
		"one\n\n two\r\nthree\n":        {" two", "three"},
		strings.Repeat("x\n", 50_000):   {"x", "x"},
		strings.Repeat("y", 70<<10):     {strings.Repeat("y", 64<<10)},
		strings.Repeat("z", 5) + "\n\n": {"zzzzz"},
	} {
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(want, Tail(path, 2)); diff != "" {
			t.Errorf("%.20q (-want +got):\n%s", text, diff)
		}
	}
	if got := Tail(path+".none", 2); got != nil {
		t.Errorf("got %q for a file that does not exist", got)
	}
}
