// Package planetest has what packages of tests that run on a control plane share: the control plane, and nodes.
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

// startTimeout bounds the start of a control plane, which takes seconds, or some more where tests of other packages run
// beside it.
const startTimeout = 2 * time.Minute

// Main starts a control plane, calls run with it, and stops it again: a TestMain's whole work, since there can be only
// one in a process. run makes what its tests share and runs them, and returns their exit code. Main returns that, or 1
// if something failed, which it says on stderr; it is for os.Exit. The control plane's log goes to options.Log, or else
// to a temporary file that is kept if the tests fail. Whatever proxy the environment names is not used, here and by the
// programs that tests start: all that they talk to is on this machine.
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
