package results

import (
	"errors"
	"fmt"
	"os"
)

// rescuePrefix begins the names of the folders that take results that could not be written where
// they were to go.
const rescuePrefix = "simkube-results-"

// newRescue makes such a folder below parent.
func newRescue(parent string) (string, error) {
	dir, err := os.MkdirTemp(parent, rescuePrefix+"*")
	if err != nil {
		return "", fmt.Errorf("make a folder for the results elsewhere: %w", err)
	}
	return dir, nil
}

// Rescue writes a run that could not be written where it was to go to a new folder below parent,
// and returns that.
func Rescue(parent string, run *Run, opts WriteOptions) (dir string, err error) {
	if dir, err = newRescue(parent); err != nil {
		return "", err
	}
	if err := Write(dir, run, opts); err != nil {
		return "", errors.Join(fmt.Errorf("write them to %s: %w", dir, err), os.Remove(dir))
	}
	return dir, nil
}
