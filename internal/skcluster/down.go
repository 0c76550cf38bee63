package skcluster

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"simkube.io/simkube/internal/subprocess"
)

// Down stops a cluster, waits until it has ended and removes its folder. A dead cluster is only
// removed. The error wraps ErrNoCluster if the cluster does not exist.
func (c Clusters) Down(ctx context.Context, name string) error {
	unlock, err := c.lock(ctx, name)
	if err != nil {
		return err
	}
	defer unlock()

	if _, err := c.Get(name); err != nil {
		return err
	}
	dir := filepath.Join(c.Dir, name)
	var proc process
	if err := readJSON(filepath.Join(dir, processFile), &proc); err != nil {
		return fmt.Errorf("read the state of cluster %s: %w", name, err)
	}
	if err := terminateAndWait(ctx, proc); err != nil {
		return fmt.Errorf("stop cluster %s: %w", name, err)
	}
	if err := os.RemoveAll(dir); err != nil {
		return fmt.Errorf("remove the cluster's folder: %w", err)
	}
	return nil
}

// terminateAndWait ends a process that is not a child: with SIGTERM, and after a while with
// SIGKILL.
func terminateAndWait(ctx context.Context, proc process) error {
	if !proc.alive() {
		return nil
	}
	if err := terminate(proc.PID); err != nil {
		return err
	}
	timer := time.NewTimer(stopTime)
	defer timer.Stop()
	ticker := time.NewTicker(pollInterval)
	defer ticker.Stop()
	for proc.alive() {
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-timer.C:
			if err := subprocess.KillGroup(proc.PID); err != nil {
				return err
			}
		case <-ticker.C:
		}
	}
	return nil
}

// lock makes commands that change the same cluster wait for each other. The lock file is never
// removed, because a third command could lock a new one while the second waits for the old one.
func (c Clusters) lock(ctx context.Context, name string) (unlock func(), err error) {
	if err := CheckName(name); err != nil {
		return nil, err
	}
	if err := os.MkdirAll(c.Dir, 0o700); err != nil {
		return nil, fmt.Errorf("create a folder for clusters: %w", err)
	}
	file, err := os.OpenFile(filepath.Join(c.Dir, "."+name+".lock"), os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		return nil, fmt.Errorf("lock cluster %s: %w", name, err)
	}
	for {
		locked, err := tryLock(file)
		if locked {
			return func() { _ = file.Close() }, nil
		}
		if err == nil {
			err = sleep(ctx, pollInterval)
		}
		if err != nil {
			return nil, errors.Join(fmt.Errorf("lock cluster %s: %w", name, err), file.Close())
		}
	}
}

func sleep(ctx context.Context, d time.Duration) error {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-timer.C:
		return nil
	}
}
