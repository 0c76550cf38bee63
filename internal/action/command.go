package action

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"os/exec"
	"time"

	simkubev1 "simkube.io/simkube/api/v1"
	"simkube.io/simkube/internal/subprocess"
)

const (
	// tailSize is how many bytes of the output a Result keeps, maxLine how long a line of the log is
	// at most.
	tailSize = 2 << 10
	maxLine  = 1 << 10
	// waitDelay is how long the output is read after the program exited. A child that outlives it may
	// hold the pipe open.
	waitDelay = 2 * time.Second
)

// command runs a program. When ctx ends, the program is killed with every process in its process
// group. What the program leaves in the background when it exits by itself continues: a hook may
// start something for the time of the simulation.
type command struct{ simkubev1.SimulationHook }

// Validate returns nil: whether there is such a program is known only where it is run.
func (c command) Validate() error { return nil }

func (c command) Run(ctx context.Context, env Env) (Result, error) {
	cmd := exec.CommandContext(ctx, c.Cmd, c.Args...)
	cmd.Env = append(cmd.Environ(), env.Environ...)
	subprocess.OwnGroup(cmd)
	cmd.Cancel = func() error { return subprocess.KillGroup(cmd.Process.Pid) }
	cmd.WaitDelay = waitDelay
	if c.SendSim {
		text, err := json.Marshal(env.Simulation)
		if err != nil {
			return noProcess(), fmt.Errorf("write the simulation as JSON: %w", err)
		}
		cmd.Stdin = bytes.NewReader(text)
	}
	out := &lines{ctx: ctx, log: env.Logger.With("cmd", c.Cmd)}
	cmd.Stdout, cmd.Stderr = out, out // the same writer: exec writes to it from one goroutine
	err := cmd.Run()
	out.flush()
	result := noProcess()
	result.Output = string(out.tail)
	if cmd.ProcessState != nil {
		result.ExitCode = cmd.ProcessState.ExitCode()
	}
	switch {
	case errors.Is(err, exec.ErrWaitDelay) && ctx.Err() == nil:
		err = nil // the program itself succeeded
	case errors.Is(err, exec.ErrNotFound):
		err = fmt.Errorf("the image has no program %q; add it to the image: %w", c.Cmd, err)
	}
	return result, err
}

// lines writes the output of a command to the log, line by line, and keeps the end of it.
type lines struct {
	ctx  context.Context
	log  *slog.Logger
	line []byte
	tail []byte
}

func (l *lines) Write(p []byte) (int, error) {
	l.tail = append(l.tail, p[max(0, len(p)-tailSize):]...)
	if extra := len(l.tail) - tailSize; extra > 0 {
		l.tail = append(l.tail[:0], l.tail[extra:]...)
	}
	for _, b := range p {
		if b == '\n' {
			l.flush()
			continue
		}
		if l.line = append(l.line, b); len(l.line) >= maxLine {
			l.flush()
		}
	}
	return len(p), nil
}

func (l *lines) flush() {
	if len(l.line) > 0 {
		l.log.InfoContext(l.ctx, "command printed", "line", string(l.line))
		l.line = l.line[:0]
	}
}
