package hooks

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
)

const (
	defaultTimeout = 600 * time.Second
	tailSize       = 2 << 10
	maxLine        = 1 << 10
	// A child that outlives the program may hold the pipe open; what it prints is nobody's after this.
	waitDelay = 2 * time.Second
)

// command runs the program of a hook. When ctx ends it is killed, with whatever it started in its process group. What it
// leaves in the background when it exits by itself goes on: a hook may start something for the time of the simulation.
func (r *Runner) command(ctx context.Context, hook simkubev1.SimulationHook, sim *simkubev1.Simulation) (Result, error) {
	cmd := exec.CommandContext(ctx, hook.Cmd, hook.Args...)
	cmd.Env = append(cmd.Environ(), r.Env...)
	killGroup(cmd)
	cmd.WaitDelay = waitDelay
	if hook.SendSim {
		text, err := json.Marshal(sim)
		if err != nil {
			return Result{}, fmt.Errorf("write the simulation as JSON: %w", err)
		}
		cmd.Stdin = bytes.NewReader(text)
	}
	out := &lines{ctx: ctx, log: r.logger().With("cmd", hook.Cmd)}
	cmd.Stdout, cmd.Stderr = out, out // the same writer: exec writes to it from one goroutine
	err := cmd.Run()
	out.flush()
	result := Result{ExitCode: -1, Output: string(out.tail)}
	if cmd.ProcessState != nil {
		result.ExitCode = cmd.ProcessState.ExitCode()
	}
	switch {
	case errors.Is(err, exec.ErrWaitDelay) && ctx.Err() == nil:
		err = nil // the program itself has succeeded
	case errors.Is(err, exec.ErrNotFound):
		err = fmt.Errorf("the image has no program %q; add it to the image: %w", hook.Cmd, err)
	}
	return result, err
}

// lines writes what a command prints to the log, line by line, and keeps the end of it.
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
		l.log.InfoContext(l.ctx, "hook printed", "line", string(l.line))
		l.line = l.line[:0]
	}
}
