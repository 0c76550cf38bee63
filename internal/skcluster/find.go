package skcluster

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"

	"simkube.io/simkube/internal/simulation"
)

// The environment variables with the paths of the programs.
const (
	EnvPath        = "SIMKUBE_SK_CLUSTER"
	EnvVirtualPath = "SIMKUBE_SK_CLUSTER_VIRTUAL"
)

// ErrNotFound is wrapped by Find's error if sk-cluster does not exist.
var ErrNotFound = errors.New("sk-cluster not found")

// program is one of the two builds of sk-cluster.
type program struct{ name, env string }

func programFor(clock simulation.Time) program {
	if clock == simulation.Virtual {
		return program{name: "sk-cluster-virtual", env: EnvVirtualPath}
	}
	return program{name: "sk-cluster", env: EnvPath}
}

// Find returns the path of the sk-cluster for a clock. It is that in the environment variable if
// set, or else the program (sk-cluster or sk-cluster-virtual) beside the running executable, or
// else the one on PATH. If the variable is set, it must be the path of an executable file.
func Find(clock simulation.Time) (string, error) {
	self, err := os.Executable()
	if err == nil {
		self, err = filepath.EvalSymlinks(self)
	}
	if err != nil {
		self = ""
	}
	p := programFor(clock)
	return find(p, os.Getenv(p.env), self)
}

func find(p program, named, self string) (string, error) {
	if named != "" {
		path, err := exec.LookPath(named)
		if err != nil {
			return "", fmt.Errorf("%w: %s is %q: %w", ErrNotFound, p.env, named, err)
		}
		return filepath.Abs(path)
	}
	name := p.name
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
		return "", fmt.Errorf("%w: %s is not %s, and %s is not set", ErrNotFound, name, where, p.env)
	}
	return filepath.Abs(path)
}
