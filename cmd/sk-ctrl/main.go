// Command sk-ctrl runs the Simulations of a cluster.
package main

import (
	"context"
	"os"
	"os/signal"
	"syscall"

	"simkube.io/simkube/cmd/sk-ctrl/app"
	"simkube.io/simkube/internal/program"
)

// version is set by the Makefile.
var version = "development"

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	code := app.Run(ctx, program.Streams{Out: os.Stdout, Err: os.Stderr}, version, os.Args[1:])
	stop()
	os.Exit(code)
}
