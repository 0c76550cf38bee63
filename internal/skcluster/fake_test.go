package skcluster

import (
	"bufio"
	"encoding/json"
	"fmt"
	"os"
	"os/signal"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"go.uber.org/goleak"

	"simkube.io/simkube/internal/simulation"
)

// fakeEnv makes the test binary behave like sk-cluster. Its value selects a behaviour.
const fakeEnv = "SIMKUBE_TEST_FAKE"

func TestMain(m *testing.M) {
	if behaviour := os.Getenv(fakeEnv); behaviour != "" {
		if len(os.Args) > 1 && os.Args[1] == "serve" {
			os.Exit(fakeServe(behaviour, os.Args[2:]))
		}
		os.Exit(fakeSimulate(behaviour))
	}
	goleak.VerifyTestMain(m)
}

// fakeSimulate behaves like sk-cluster simulate, as its behaviour says. Unless that says otherwise,
// an interrupt ends it properly.
func fakeSimulate(behaviour string) int {
	if behaviour == "hold the pipe" {
		pipe := os.NewFile(simulation.MessageFD, "messages")
		for {
			if _, err := pipe.WriteString("\n"); err != nil {
				return 0 // the reader is gone
			}
			time.Sleep(10 * time.Millisecond)
		}
	}
	control := bufio.NewScanner(os.NewFile(simulation.ControlFD, "control"))
	messages := os.NewFile(simulation.MessageFD, "messages")
	log := os.NewFile(simulation.LogFD, "log")
	out := json.NewEncoder(messages)
	send := func(msg simulation.Message) { _ = out.Encode(msg) }

	var spec simulation.Spec
	if !control.Scan() || json.Unmarshal(control.Bytes(), &spec) != nil {
		fmt.Fprintln(os.Stderr, "no specification")
		return 9
	}
	fmt.Fprintln(log, "the log begins")
	if behaviour == "hang early" {
		send(simulation.Message{Progress: &simulation.Progress{Phase: simulation.Starting}})
		select {} // until it is killed
	}
	send(simulation.Message{Note: &simulation.Note{Level: simulation.Info, Text: "simulating " + spec.Name}})
	send(simulation.Message{Progress: &simulation.Progress{Phase: simulation.Replaying, Events: 1, EventsTotal: 2}})

	switch behaviour {
	case "done":
		fmt.Println("noise on standard output")
		send(simulation.Message{Done: &simulation.Done{Output: spec.Output}})
	case "failed":
		send(simulation.Message{Failed: &simulation.Failed{Error: "it was not to be", Hint: "try again"}})
		return 1
	case "crash":
		fmt.Fprint(os.Stderr, "E0101 something is wrong\npanic: nil pointer\n\ngoroutine 1 [running]:\nmain.main()\n")
		return 2
	case "mute":
	case "garbage":
		fmt.Fprintln(messages, "panic: this is not JSON")
		select {} // until it is killed
	case "two kinds":
		send(simulation.Message{Done: &simulation.Done{}, Failed: &simulation.Failed{}})
		select {}
	case "orphan":
		// A process that outlives the child keeps the pipe open.
		attr := &os.ProcAttr{Files: []*os.File{nil, nil, nil, nil, messages}, Env: []string{fakeEnv + "=hold the pipe"}}
		if _, err := os.StartProcess(os.Args[0], []string{"orphan"}, attr); err != nil {
			return 8
		}
		send(simulation.Message{Done: &simulation.Done{Output: spec.Output}})
	case "standing still":
		send(simulation.Message{Progress: &simulation.Progress{Phase: simulation.Replaying, EventsTotal: 7}})
		for control.Scan() { // until the parent is gone
		}
	case "until interrupted", "hang":
		for control.Scan() {
			if behaviour == "until interrupted" && strings.Contains(control.Text(), `"interrupt":true`) {
				send(simulation.Message{Done: &simulation.Done{Output: spec.Output, Interrupted: true}})
				return 0
			}
		}
		// The parent is gone.
	}
	return 0
}

// fakeServe behaves like sk-cluster serve.
func fakeServe(behaviour string, args []string) int {
	if behaviour == "crash" {
		fmt.Fprintln(os.Stderr, "the port is taken")
		return 1
	}
	dir := args[1]
	stop := make(chan os.Signal, 1)
	signal.Notify(stop, syscall.SIGTERM)
	ready, _ := json.Marshal(map[string]any{
		"pid": os.Getpid(), "kubeconfig": filepath.Join(dir, kubeconfigFile), "server": "https://127.0.0.1:1",
		"startedAt": time.Now(), "version": strings.Join(args[2:], " "),
	})
	_ = os.WriteFile(filepath.Join(dir, kubeconfigFile), []byte("kind: Config\n"), 0o600)
	if behaviour != "never ready" {
		_ = os.WriteFile(filepath.Join(dir, readyFile+".tmp"), ready, 0o600)
		_ = os.Rename(filepath.Join(dir, readyFile+".tmp"), filepath.Join(dir, readyFile))
	}
	<-stop
	return 0
}
