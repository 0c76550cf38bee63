package main

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"os/signal"
	"strings"
	"syscall"
	"testing"
	"time"

	"simkube.io/simkube/internal/playback"
)

func frame(time uint64, data string) string { return string(playback.AppendFrame(nil, time, data)) }

// roleEnv makes this test binary one of the programs below.
const roleEnv = "SIMKUBE_PLAYBACK_TEST_ROLE"

func TestMain(m *testing.M) {
	switch role := os.Getenv(roleEnv); role {
	case "":
		os.Exit(m.Run())
	case "talk":
		data, err := io.ReadAll(os.Stdin)
		fmt.Print(frame(1, fmt.Sprintf("out %s %v\n", data, err)), frame(2, "and "), "plain\n")
		fmt.Fprint(os.Stderr, frame(3, strings.Join(os.Args[1:], " ")))
		os.Exit(3)
	case "hang":
		signal.Ignore(syscall.SIGTERM, syscall.SIGHUP)
		fmt.Print(frame(1, "hangs\n"))
		time.Sleep(time.Hour)
	case "playback":
		// As the command does, for a program that hangs.
		os.Args = []string{"playback", os.Args[0]}
		if err := os.Setenv(roleEnv, "hang"); err != nil {
			fmt.Fprintln(os.Stderr, err)
		}
		main()
	default:
		fmt.Fprintln(os.Stderr, "no such role:", role)
		os.Exit(1)
	}
}

func TestPlay(t *testing.T) {
	t.Setenv(roleEnv, "talk")
	var out, errOut bytes.Buffer
	code, err := player{}.play([]string{os.Args[0], "-x", "a b"}, strings.NewReader("some input"), &out, &errOut)
	if code != 3 || err != nil {
		t.Errorf("got code %d, %v, want 3", code, err)
	}
	if got, want := out.String(), "out some input <nil>\nand plain\n"; got != want {
		t.Errorf("standard output: got %q, want %q", got, want)
	}
	if got, want := errOut.String(), "-x a b"; got != want {
		t.Errorf("standard error: got %q, want %q", got, want)
	}
}

func TestPlay_NoProgram(t *testing.T) {
	if code, err := (player{}).play([]string{t.TempDir() + "/none"}, nil, io.Discard, io.Discard); code == 0 || !errors.Is(err, os.ErrNotExist) {
		t.Errorf("got code %d, %v, want %v", code, err, os.ErrNotExist)
	}
}

func TestPlay_Limit(t *testing.T) {
	t.Setenv(roleEnv, "hang")
	p := player{limit: time.Millisecond, grace: time.Minute}
	code, err := p.play([]string{os.Args[0]}, nil, io.Discard, io.Discard)
	if code == 0 || !errors.Is(err, errLimit) {
		t.Errorf("got code %d, %v, want %v", code, err, errLimit)
	}
}

// started is a writer that reports the first write to it.
type started chan struct{}

func (s started) Write(p []byte) (int, error) {
	select {
	case s <- struct{}{}:
	default:
	}
	return len(p), nil
}

func TestPlay_PassesSignalsOn(t *testing.T) {
	t.Setenv(roleEnv, "hang")
	signals, up := make(chan os.Signal), make(started, 1)
	go func() {
		<-up
		signals <- syscall.SIGQUIT
	}()
	var errOut bytes.Buffer
	code, err := player{signals: signals, grace: time.Minute}.play([]string{os.Args[0]}, nil, up, &errOut)
	if code == 0 || err != nil {
		t.Errorf("got code %d, %v, want the code of the dump", code, err)
	}
	if !strings.Contains(errOut.String(), "SIGQUIT") || !strings.Contains(errOut.String(), "goroutine 1") {
		t.Errorf("the program didn't show its goroutines:\n%s", errOut.String())
	}
}

// TestPlay_KillsInTheEnd runs a program that ignores signals.
func TestPlay_KillsInTheEnd(t *testing.T) {
	t.Setenv(roleEnv, "hang")
	signals, up := make(chan os.Signal), make(started, 1)
	go func() {
		<-up
		signals <- syscall.SIGTERM
	}()
	code, err := player{signals: signals, grace: time.Millisecond}.play([]string{os.Args[0]}, nil, up, io.Discard)
	if want := bySignal + int(syscall.SIGKILL); code != want || err != nil {
		t.Errorf("got code %d, %v, want %d", code, err, want)
	}
}

// TestMain_Killed checks that the program ends when playback is killed.
func TestMain_Killed(t *testing.T) {
	r, w, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	defer w.Close()
	cmd := exec.CommandContext(t.Context(), os.Args[0])
	cmd.Env = append(os.Environ(), roleEnv+"=playback")
	cmd.Stdin = r // and the program's
	up := make(started, 1)
	cmd.Stdout = up
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	r.Close()
	<-up
	if err := cmd.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	_ = cmd.Wait()
	// The pipe fills up until no reader is left.
	for err == nil {
		_, err = w.Write(make([]byte, 4096))
	}
	if !errors.Is(err, syscall.EPIPE) {
		t.Errorf("write to the program: got %v, want %v", err, syscall.EPIPE)
	}
}
