package simulator

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"path/filepath"
	"slices"
	"syscall"
	"time"

	"k8s.io/client-go/kubernetes"

	simkubev1 "simkube.io/simkube/api/v1"
	"simkube.io/simkube/cluster/controlplane"
	"simkube.io/simkube/cluster/internal/virtualtime"
	"simkube.io/simkube/cluster/karpenter"
	"simkube.io/simkube/cluster/provisioner"
	"simkube.io/simkube/internal/nodes"
	"simkube.io/simkube/internal/simulation"
	"simkube.io/simkube/internal/volumes"
)

// serveOptions are the flags of serve.
type serveOptions struct {
	dir             string
	port            int
	schedulerConfig string
	controllers     []string
	crds            []string
	stages          []string
	nodes           string
	shape           string
	kubeAPIQPS      float32
	autoscaler      simulation.Autoscaler
	verbosity       int
}

// ready is the content of ready.json, which serve writes once the cluster can be used.
type ready struct {
	PID        int       `json:"pid"`
	Kubeconfig string    `json:"kubeconfig"`
	Server     string    `json:"server"`
	StartedAt  time.Time `json:"startedAt"`
	Version    string    `json:"version"`
}

// serve runs a control plane until the process gets SIGTERM or SIGINT, or a component stops by
// itself.
func serve(ctx context.Context, o serveOptions, a additions, out io.Writer) (err error) {
	if virtualtime.Enabled {
		return errors.New("a lasting cluster needs the wall clock: this sk-cluster was built for virtual time")
	}
	ctx, cancel := signal.NotifyContext(ctx, syscall.SIGTERM, os.Interrupt)
	defer cancel()
	log := io.Discard
	if o.dir != "" {
		file, err := createLog(o.dir)
		if err != nil {
			return err
		}
		defer file.Close()
		log = file
	}
	handover := &karpenter.Handover{}
	scaler, err := o.karpenter(log, handover)
	if err != nil {
		return err
	}
	provision := provisioner.Component(provisioner.Options{DefaultClass: volumes.DefaultClass})
	opts := controlplane.Options{
		Port:             o.port,
		SchedulerConfig:  o.schedulerConfig,
		SchedulerPlugins: a.plugins,
		Components:       slices.Concat([]controlplane.Component{provision}, scaler, a.components),
		Controllers:      o.controllers,
		KubeAPIQPS:       o.kubeAPIQPS,
		Log:              log,
		Verbosity:        o.verbosity,
	}
	if opts.CRDs, err = readManifests(o.crds); err != nil {
		return err
	}
	if opts.Stages, err = readManifests(o.stages); err != nil {
		return err
	}
	plan, err := planServedNodes(o.nodes, o.shape)
	if err != nil {
		return err
	}
	cp, err := controlplane.Start(ctx, opts)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, stop(ctx, cp)) }()
	if plan != nil {
		client, err := kubernetes.NewForConfig(cp.RESTConfig())
		if err != nil {
			return fmt.Errorf("make client: %w", err)
		}
		rest := plan.Nodes
		if len(scaler) > 0 {
			var notes []string
			if rest, notes, err = handover.Take(ctx, rest, karpenter.TakeOptions{Start: time.Now}); err != nil {
				return err
			}
			for _, note := range notes {
				fmt.Fprintln(log, note)
			}
		}
		if err := nodes.Create(ctx, client, rest, nil); err != nil {
			return err
		}
	}
	remove, err := announce(o.dir, cp, out)
	if err != nil {
		return err
	}
	defer remove()
	select {
	case <-ctx.Done():
		return nil
	case <-cp.Done():
		return cp.Err()
	}
}

// karpenter returns Karpenter as a component, if it was asked for. Its nodes have the label by
// which a Simulation on this cluster chooses nodes.
func (o *serveOptions) karpenter(log io.Writer, handover *karpenter.Handover) ([]controlplane.Component, error) {
	if o.autoscaler.Kind == "" {
		return nil, nil
	}
	pools, types, warnings, err := readAutoscaler(&o.autoscaler)
	if err != nil {
		return nil, err
	}
	pools.AddLabel(simkubev1.LabelNodeType, simkubev1.NodeTypeVirtual)
	for _, note := range slices.Concat(pools.Notes, warnings) {
		fmt.Fprintln(log, note)
	}
	component, err := karpenter.Component(karpenter.Options{Pools: pools, Types: types, FeatureGates: o.autoscaler.FeatureGates, ConsolidationInterval: o.autoscaler.ConsolidationInterval, Handover: handover})
	if err != nil {
		return nil, fmt.Errorf("set up Karpenter: %w", err)
	}
	return []controlplane.Component{component}, nil
}

// createLog creates the folder of a cluster, and its log.
func createLog(dir string) (*os.File, error) {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, fmt.Errorf("create folder: %w", err)
	}
	file, err := os.OpenFile(filepath.Join(dir, "log.txt"), os.O_CREATE|os.O_WRONLY|os.O_TRUNC, 0o600)
	if err != nil {
		return nil, fmt.Errorf("create log: %w", err)
	}
	return file, nil
}

// planServedNodes returns the nodes that the flags ask for, or nil for none.
func planServedNodes(value, shape string) (*nodes.Plan, error) {
	if value == "" {
		return nil, nil
	}
	spec, err := nodes.ParseSpec(value, shape)
	if err != nil {
		return nil, err
	}
	if spec.Auto() || spec.Recorded {
		return nil, fmt.Errorf("invalid --nodes %q: must be a number or a file of manifests, as there is no trace", value)
	}
	plan, err := nodes.Prepare(spec, nil)
	if err != nil {
		return nil, err
	}
	// A Simulation on this cluster restricts its pods to nodes with this label.
	for _, node := range plan.Nodes {
		node.Labels[simkubev1.LabelNodeType] = simkubev1.NodeTypeVirtual
	}
	return plan, nil
}

// announce writes the files by which others find the cluster: ready.json is the last, and appears
// complete.
func announce(dir string, cp *controlplane.ControlPlane, out io.Writer) (remove func(), err error) {
	kubeconfig := cp.Kubeconfig()
	if dir != "" {
		data, err := os.ReadFile(kubeconfig)
		if err != nil {
			return nil, fmt.Errorf("read kubeconfig: %w", err)
		}
		kubeconfig = filepath.Join(dir, "kubeconfig")
		if err := os.WriteFile(kubeconfig, data, 0o600); err != nil {
			return nil, fmt.Errorf("write kubeconfig: %w", err)
		}
	}
	content := ready{PID: os.Getpid(), Kubeconfig: kubeconfig, Server: cp.Server(), StartedAt: time.Now().UTC(), Version: kubernetesVersion()}
	data, err := json.MarshalIndent(content, "", "  ")
	if err != nil {
		return nil, fmt.Errorf("encode ready.json: %w", err)
	}
	data = append(data, '\n')
	if dir == "" {
		_, err := out.Write(data)
		return func() {}, err
	}
	file := filepath.Join(dir, "ready.json")
	if err := os.WriteFile(file+".tmp", data, 0o600); err != nil {
		return nil, fmt.Errorf("write ready.json: %w", err)
	}
	if err := os.Rename(file+".tmp", file); err != nil {
		return nil, fmt.Errorf("write ready.json: %w", err)
	}
	return func() { _, _ = os.Remove(file), os.Remove(kubeconfig) }, nil
}
