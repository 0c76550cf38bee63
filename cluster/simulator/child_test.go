package simulator

import (
	"bytes"
	"encoding/json"
	"testing"
	"time"

	"simkube.io/simkube/internal/simulation"
)

func TestMessenger_abandon(t *testing.T) {
	message := func(phase simulation.Phase) simulation.Message {
		return simulation.Message{Progress: &simulation.Progress{Phase: phase}}
	}
	t.Run("before results are written", func(t *testing.T) {
		out := &messenger{enc: json.NewEncoder(&bytes.Buffer{})}
		out.send(message(simulation.Replaying))
		if !out.abandon() {
			t.Fatal("abandon() = false, want true")
		}
		returned := make(chan struct{})
		go func() {
			out.send(message(simulation.Reporting)) // for as long as the process runs
			close(returned)
		}()
		select {
		case <-returned:
			t.Error("results may be written after abandon")
		case <-time.After(100 * time.Millisecond):
		}
	})
	t.Run("while results are written", func(t *testing.T) {
		out := &messenger{enc: json.NewEncoder(&bytes.Buffer{})}
		out.send(message(simulation.Reporting))
		out.send(message(simulation.Settling)) // by another goroutine, late
		if out.abandon() {
			t.Error("abandon() = true, want false")
		}
	})
}
