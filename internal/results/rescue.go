package results

import (
	"errors"
	"fmt"
	"os"
)

// rescuePrefix begins the names of folders for results that could not be written to the output
// folder.
const rescuePrefix = "simkube-results-"

// newRescue makes such a folder below parent.
func newRescue(parent string) (string, error) {
	dir, err := os.MkdirTemp(parent, rescuePrefix+"*")
	if err != nil {
		return "", fmt.Errorf("make a folder for the results elsewhere: %w", err)
	}
	return dir, nil
}

// Rescue writes a run that could not be written to its output folder to a new folder below parent,
// and returns that folder.
func Rescue(parent string, run *Run, opts WriteOptions) (dir string, err error) {
	if dir, err = newRescue(parent); err != nil {
		return "", err
	}
	if err := Write(dir, run, opts); err != nil {
		return "", errors.Join(fmt.Errorf("write them to %s: %w", dir, err), os.Remove(dir))
	}
	return dir, nil
}
