// Package planetest has what tests that need a control plane share: the control plane, and nodes.
package planetest

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"simkube.io/simkube/cluster/controlplane"
)

// startTimeout bounds the start of a control plane, which takes seconds, or longer if tests of
// other packages run at the same time.
const startTimeout = 2 * time.Minute

// Main starts a control plane, calls run with it, and stops it again. It is the body of a TestMain,
// since a process can run only one control plane. run prepares what its tests share, runs them, and
// returns their exit code. Main returns that code for os.Exit, or prints an error to stderr and
// returns 1. The control plane's log goes to options.Log, or else to a temporary file that is kept
// if the tests fail. Main disables proxies, for this process and for the programs that tests start:
// they reach nothing but this machine.
func Main(options controlplane.Options, run func(*controlplane.ControlPlane) (code int, err error)) (code int) {
	code, err := start(options, run)
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	return code
}

func start(options controlplane.Options, run func(*controlplane.ControlPlane) (int, error)) (code int, err error) {
	if err := errors.Join(os.Setenv("NO_PROXY", "*"), os.Setenv("no_proxy", "*")); err != nil {
		return 1, err
	}
	if options.Log == nil {
		log, err := os.CreateTemp("", filepath.Base(os.Args[0])+"-*.log")
		if err != nil {
			return 1, err
		}
		options.Log = log
		defer func() {
			log.Close()
			if code == 0 {
				os.Remove(log.Name())
			} else {
				fmt.Fprintln(os.Stderr, "the control plane's log is", log.Name())
			}
		}()
	}
	ctx, cancel := context.WithTimeout(context.Background(), startTimeout)
	plane, err := controlplane.Start(ctx, options)
	cancel()
	if err != nil {
		return 1, fmt.Errorf("start the control plane: %w", err)
	}
	defer func() {
		if stopErr := plane.Stop(context.Background()); stopErr != nil {
			code, err = 1, errors.Join(err, fmt.Errorf("stop the control plane: %w", stopErr))
		}
	}()
	if code, err = run(plane); err != nil {
		return 1, err
	}
	return code, nil
}
