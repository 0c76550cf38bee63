package skcluster

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"time"
)

// Files in a cluster's folder. sk-cluster serve writes the first three.
const (
	readyFile      = "ready.json"
	kubeconfigFile = "kubeconfig"
	logFile        = "log.txt"
	outputFile     = "output.txt"   // sk-cluster's output
	processFile    = "process.json" // the process that Up started
)

// Clusters are the lasting clusters whose folders are in Dir.
type Clusters struct {
	// Dir holds a folder per cluster.
	Dir string
}

// UserClusters returns the user's clusters. Their folders are below that in the environment
// variable XDG_STATE_HOME, by default ~/.local/state.
func UserClusters() (Clusters, error) {
	state := os.Getenv("XDG_STATE_HOME")
	if !filepath.IsAbs(state) { // the specification says to ignore a relative path
		home, err := os.UserHomeDir()
		if err != nil {
			return Clusters{}, fmt.Errorf("find a folder for the state of clusters: %w", err)
		}
		state = filepath.Join(home, ".local", "state")
	}
	return Clusters{Dir: filepath.Join(state, "simkube", "clusters")}, nil
}

// Cluster is a lasting cluster, running or not.
type Cluster struct {
	Name string `json:"name"`
	// Status is StatusRunning, StatusStarting or StatusDead.
	Status string `json:"status"`
	// PID is the process of a cluster that is not dead.
	PID        int       `json:"pid,omitzero"`
	Kubeconfig string    `json:"kubeconfig,omitempty"`
	Server     string    `json:"server,omitempty"`
	StartedAt  time.Time `json:"startedAt,omitzero"`
	// Version is that of Kubernetes.
	Version string `json:"version,omitempty"`
	// Dir holds the cluster's files, among them its log.
	Dir string `json:"dir"`
}

// The values of Cluster.Status. A dead cluster ended without being stopped, and has left its
// folder.
const (
	StatusRunning  = "running"
	StatusStarting = "starting"
	StatusDead     = "dead"
)

// Log returns the path of the cluster's log.
func (c Cluster) Log() string { return filepath.Join(c.Dir, logFile) }

// ErrNoCluster is wrapped by errors about a cluster that does not exist.
var ErrNoCluster = errors.New("no such cluster")

var clusterName = regexp.MustCompile(`^[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?$`)

// CheckName returns an error for a name that is not valid for a cluster.
func CheckName(name string) error {
	if !clusterName.MatchString(name) {
		return fmt.Errorf("invalid cluster name %q: must be at most 63 lower-case letters, digits and dashes, and begin and end with a letter or digit", name)
	}
	return nil
}

// process is the process that Up started. The identity keeps Down from ending another process that
// got the same id later.
type process struct {
	PID      int    `json:"pid"`
	Identity string `json:"identity"`
}

func (p process) alive() bool { return p.Identity != "" && processIdentity(p.PID) == p.Identity }

// Get returns a cluster by name. The error wraps ErrNoCluster if it does not exist.
func (c Clusters) Get(name string) (Cluster, error) {
	if err := CheckName(name); err != nil {
		return Cluster{}, err
	}
	dir := filepath.Join(c.Dir, name)
	cluster := Cluster{Name: name, Status: StatusDead, Dir: dir}
	var proc process
	switch err := readJSON(filepath.Join(dir, processFile), &proc); {
	case errors.Is(err, fs.ErrNotExist):
		return cluster, fmt.Errorf("%w: %s", ErrNoCluster, name)
	case err != nil:
		return cluster, fmt.Errorf("read the state of cluster %s: %w", name, err)
	}
	if !proc.alive() {
		return cluster, nil
	}
	cluster.PID, cluster.Status = proc.PID, StatusStarting
	err := readJSON(filepath.Join(dir, readyFile), &cluster)
	if errors.Is(err, fs.ErrNotExist) {
		return cluster, nil
	}
	if err != nil {
		return cluster, fmt.Errorf("read the state of cluster %s: %w", name, err)
	}
	cluster.Name, cluster.Dir, cluster.Status = name, dir, StatusRunning
	return cluster, nil
}

// List returns all clusters, ordered by name.
func (c Clusters) List() ([]Cluster, error) {
	entries, err := os.ReadDir(c.Dir)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("list clusters: %w", err)
	}
	var out []Cluster
	for _, entry := range entries {
		if !entry.IsDir() || CheckName(entry.Name()) != nil {
			continue
		}
		cluster, err := c.Get(entry.Name())
		if errors.Is(err, ErrNoCluster) {
			continue
		}
		if err != nil {
			return nil, err
		}
		out = append(out, cluster)
	}
	slices.SortFunc(out, func(a, b Cluster) int { return strings.Compare(a.Name, b.Name) })
	return out, nil
}

func readJSON(path string, into any) error {
	data, err := os.ReadFile(path)
	if err != nil {
		return err
	}
	if err := json.Unmarshal(data, into); err != nil {
		return fmt.Errorf("%s: %w", path, err)
	}
	return nil
}
