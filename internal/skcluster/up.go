package skcluster

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"time"

	"simkube.io/simkube/internal/instancetypes"
	"simkube.io/simkube/internal/simulation"
	"simkube.io/simkube/internal/subprocess"
)

const (
	pollInterval = 50 * time.Millisecond
	// stopTime is how long a cluster may take to stop.
	stopTime = 45 * time.Second
)

// UpOptions configure a lasting cluster. Paths may be relative to the current folder.
type UpOptions struct {
	// Path is the sk-cluster to run; see Find.
	Path string
	// Port is that of the API server on the loopback interface; 0 means a free one.
	Port int
	// Nodes and NodeShape are the values of sk-cluster's flags of these names; empty for none.
	Nodes, NodeShape string
	SchedulerConfig  string
	CRDs, Stages     []string
	// KubeAPIQPS limits the requests of the scheduler and the controllers: 0 means Kubernetes'
	// defaults, below 0 means no limit.
	KubeAPIQPS float32
	// Autoscaler adds and removes nodes; nil means none.
	Autoscaler *simulation.Autoscaler
}

// Up starts a cluster in a process of its own and waits until it is ready. If the cluster is
// already running, it returns that and true. If ctx is cancelled, or the cluster ends before it is
// ready, only its log is left.
func (c Clusters) Up(ctx context.Context, name string, opts UpOptions) (_ Cluster, already bool, err error) {
	unlock, err := c.lock(ctx, name)
	if err != nil {
		return Cluster{}, false, err
	}
	defer unlock()

	cluster, err := c.Get(name)
	switch {
	case err == nil && cluster.Status != StatusDead:
		if cluster.Status == StatusStarting {
			return c.waitReady(ctx, name, nil)
		}
		return cluster, true, nil
	case err != nil && !errors.Is(err, ErrNoCluster):
		return Cluster{}, false, err
	}
	dir := filepath.Join(c.Dir, name)
	if err := os.RemoveAll(dir); err != nil {
		return Cluster{}, false, fmt.Errorf("remove the folder of a dead cluster: %w", err)
	}
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return Cluster{}, false, fmt.Errorf("create the cluster's folder: %w", err)
	}
	cmd, err := serveCommand(dir, opts)
	if err != nil {
		return Cluster{}, false, err
	}
	output, err := os.Create(filepath.Join(dir, outputFile))
	if err != nil {
		return Cluster{}, false, err
	}
	defer output.Close()
	cmd.Stdout, cmd.Stderr = output, output
	if err := cmd.Start(); err != nil {
		return Cluster{}, false, fmt.Errorf("start %s: %w", opts.Path, err)
	}
	exited := make(chan struct{})
	go func() {
		defer close(exited)
		_ = cmd.Wait()
	}()
	if err := writeProcess(dir, cmd.Process.Pid); err != nil {
		_ = subprocess.KillGroup(cmd.Process.Pid)
		<-exited
		return Cluster{}, false, err
	}
	cluster, _, err = c.waitReady(ctx, name, exited)
	if err != nil {
		stopProcess(cmd.Process, exited)
		_ = os.Remove(filepath.Join(dir, processFile))
		return Cluster{}, false, c.notReady(dir, cmd, err)
	}
	// The goroutine that waits for the cluster's process ends with that process or this one.
	return cluster, false, nil
}

// errEnded is the cause if a cluster ends before it is ready.
var errEnded = errors.New("the control plane ended before it was ready")

// waitReady polls, because a pipe between the two processes would end with the first of them.
func (c Clusters) waitReady(ctx context.Context, name string, exited <-chan struct{}) (Cluster, bool, error) {
	ticker := time.NewTicker(pollInterval)
	defer ticker.Stop()
	for {
		cluster, err := c.Get(name)
		switch {
		case err != nil:
			return cluster, false, err
		case cluster.Status == StatusRunning:
			return cluster, exited == nil, nil
		case cluster.Status == StatusDead:
			return cluster, false, errEnded
		}
		select {
		case <-ctx.Done():
			return cluster, false, ctx.Err()
		case <-exited:
			return cluster, false, errEnded
		case <-ticker.C:
		}
	}
}

// notReady returns an error that explains why the cluster did not start.
func (c Clusters) notReady(dir string, cmd *exec.Cmd, cause error) error {
	if !errors.Is(cause, errEnded) {
		return cause
	}
	output := newRing(tailSize)
	if data, err := os.ReadFile(filepath.Join(dir, outputFile)); err == nil {
		_, _ = output.Write(data)
	}
	return &CrashError{
		Status: cmd.ProcessState.String(),
		Cause:  errEnded,
		Tail:   output.lines(tailLines),
		Log:    filepath.Join(dir, logFile),
	}
}

// stopProcess ends a child process and waits for it.
func stopProcess(p *os.Process, exited <-chan struct{}) {
	_ = terminate(p.Pid)
	timer := time.NewTimer(stopTime)
	defer timer.Stop()
	select {
	case <-exited:
	case <-timer.C:
		_ = subprocess.KillGroup(p.Pid)
		<-exited
	}
}

func writeProcess(dir string, pid int) error {
	data, err := json.Marshal(process{PID: pid, Identity: processIdentity(pid)})
	if err != nil {
		return fmt.Errorf("encode the process: %w", err)
	}
	if err := os.WriteFile(filepath.Join(dir, processFile), data, 0o600); err != nil {
		return fmt.Errorf("record the process: %w", err)
	}
	return nil
}

func serveCommand(dir string, opts UpOptions) (*exec.Cmd, error) {
	args := []string{"serve", "--dir", dir}
	add := func(flag, value string) {
		if value != "" {
			args = append(args, flag, value)
		}
	}
	// The cluster runs in a different folder, so it needs absolute paths.
	addFile := func(flag, path string) error {
		if path == "" {
			return nil
		}
		whole, err := filepath.Abs(path)
		if err != nil {
			return fmt.Errorf("find %s: %w", path, err)
		}
		add(flag, whole)
		return nil
	}
	if opts.Port != 0 {
		add("--port", strconv.Itoa(opts.Port))
	}
	if opts.KubeAPIQPS != 0 {
		add("--kube-api-qps", strconv.FormatFloat(float64(opts.KubeAPIQPS), 'g', -1, 32))
	}
	nodes := opts.Nodes
	if _, err := os.Stat(nodes); err == nil {
		if nodes, err = filepath.Abs(nodes); err != nil {
			return nil, fmt.Errorf("find %s: %w", opts.Nodes, err)
		}
	} else if !errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("find %s: %w", opts.Nodes, err)
	}
	add("--nodes", nodes)
	add("--node-shape", opts.NodeShape)
	err := addFile("--scheduler-config", opts.SchedulerConfig)
	for _, path := range opts.CRDs {
		err = errors.Join(err, addFile("--crd", path))
	}
	for _, path := range opts.Stages {
		err = errors.Join(err, addFile("--kwok-stage", path))
	}
	if scaler := opts.Autoscaler; scaler != nil {
		add("--autoscaler", string(scaler.Kind))
		add("--karpenter-feature-gates", scaler.FeatureGates)
		if scaler.ConsolidationInterval > 0 {
			add("--consolidation-interval", scaler.ConsolidationInterval.String())
		}
		err = errors.Join(err, addFile("--nodepools", scaler.NodePools))
		if slices.Contains(instancetypes.Names(), scaler.InstanceTypes) {
			add("--instance-types", scaler.InstanceTypes)
		} else {
			err = errors.Join(err, addFile("--instance-types", scaler.InstanceTypes))
		}
	}
	if err != nil {
		return nil, err
	}
	cmd := exec.Command(opts.Path, args...)
	cmd.Dir = dir
	ownSession(cmd)
	return cmd, nil
}
