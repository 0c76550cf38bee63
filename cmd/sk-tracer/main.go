// Command sk-tracer records what happens in a cluster, for months, and exports it as a trace.
package main

import (
	"context"
	"os"
	"os/signal"
	"runtime/debug"
	"syscall"

	"simkube.io/simkube/cmd/sk-tracer/app"
	"simkube.io/simkube/internal/program"
	"simkube.io/simkube/internal/tracer"
)

// version is set by the Makefile.
var version = "development"

func main() {
	if os.Getenv("GOGC") == "" {
		debug.SetGCPercent(tracer.GCPercent)
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	code := app.Run(ctx, program.Streams{Out: os.Stdout, Err: os.Stderr}, version, os.Args[1:])
	stop()
	os.Exit(code)
}
