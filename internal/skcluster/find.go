package skcluster

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
)

// EnvPath is the environment variable that names the sk-cluster to use.
const EnvPath = "SIMKUBE_SK_CLUSTER"

const programName = "sk-cluster"

// ErrNotFound is wrapped by Find's error when there is no sk-cluster.
var ErrNotFound = errors.New("sk-cluster not found")

// Find returns the path of sk-cluster: what the environment variable EnvPath names, else
// the program of that name beside the running executable, else the one on PATH. A value
// of EnvPath that cannot be run is an error; nothing else is tried then.
func Find() (string, error) {
	self, err := os.Executable()
	if err == nil {
		self, err = filepath.EvalSymlinks(self)
	}
	if err != nil {
		self = ""
	}
	return find(os.Getenv(EnvPath), self)
}

func find(named, self string) (string, error) {
	if named != "" {
		path, err := exec.LookPath(named)
		if err != nil {
			return "", fmt.Errorf("%w: %s is %q: %w", ErrNotFound, EnvPath, named, err)
		}
		return filepath.Abs(path)
	}
	name := programName
	if runtime.GOOS == "windows" {
		name += ".exe"
	}
	where := "on PATH"
	if self != "" {
		beside := filepath.Join(filepath.Dir(self), name)
		path, err := exec.LookPath(beside)
		if err == nil {
			return path, nil
		}
		if !errors.Is(err, fs.ErrNotExist) {
			return "", fmt.Errorf("%w: %s cannot be run: %w", ErrNotFound, beside, err)
		}
		where = "beside " + self + " or on PATH"
	}
	path, err := exec.LookPath(name)
	if err != nil {
		return "", fmt.Errorf("%w: it is not %s, and %s is not set", ErrNotFound, where, EnvPath)
	}
	return filepath.Abs(path)
}
