// Command skctl replays recorded clusters and reports the results. It also works as a kubectl
// plugin with the name kubectl-simkube.
package main

import (
	"context"
	"os"
	"os/signal"
	"syscall"

	"simkube.io/simkube/cmd/skctl/app"
)

// version is set by the Makefile.
var version = "development"

func main() {
	interrupts := make(chan os.Signal, 2)
	signal.Notify(interrupts, os.Interrupt, syscall.SIGTERM, syscall.SIGHUP)
	streams := app.Streams{In: os.Stdin, Out: os.Stdout, Err: os.Stderr, Interrupts: interrupts}
	os.Exit(app.Run(context.Background(), streams, version, os.Args))
}
