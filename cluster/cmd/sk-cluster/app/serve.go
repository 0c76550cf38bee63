package app

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

	"github.com/spf13/cobra"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/client-go/kubernetes"

	simkubev1 "simkube.io/simkube/api/v1"
	"simkube.io/simkube/cluster/controlplane"
	"simkube.io/simkube/cluster/internal/virtualtime"
	"simkube.io/simkube/internal/nodes"
)

// stopTimeout bounds an orderly stop.
const stopTimeout = 30 * time.Second

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
	verbosity       int
}

// Ready is what serve writes to ready.json once the cluster can be used.
type Ready struct {
	PID        int       `json:"pid"`
	Kubeconfig string    `json:"kubeconfig"`
	Server     string    `json:"server"`
	StartedAt  time.Time `json:"startedAt"`
	Version    string    `json:"version"`
}

func newServe() *cobra.Command {
	var o serveOptions
	cmd := &cobra.Command{
		Use:   "serve",
		Short: "Run a control plane until it is told to stop",
		Long: `Serve runs a control plane with simulated nodes until SIGTERM or SIGINT. With --dir it
writes DIR/kubeconfig, DIR/log.txt and, once the cluster can be used, DIR/ready.json. What the
cluster holds is kept in memory and gone when it stops.`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if virtualtime.Enabled {
				return errors.New("a lasting cluster needs the wall clock: this sk-cluster was built for virtual time")
			}
			ctx, stop := signal.NotifyContext(cmd.Context(), syscall.SIGTERM, os.Interrupt)
			defer stop()
			return runServe(ctx, o, cmd.OutOrStdout())
		},
	}
	f := cmd.Flags()
	f.StringVar(&o.dir, "dir", "", "folder for kubeconfig, ready.json and log.txt (default: none but a temporary one)")
	f.IntVar(&o.port, "port", 0, "loopback port of the API server (0: a free one)")
	f.StringVar(&o.schedulerConfig, "scheduler-config", "", "KubeSchedulerConfiguration file")
	f.StringSliceVar(&o.controllers, "controllers", nil, "kube-controller-manager's --controllers")
	f.StringArrayVar(&o.crds, "crd", nil, "file of CustomResourceDefinitions to install (repeatable)")
	f.StringArrayVar(&o.stages, "kwok-stage", nil, "file of KWOK stages to add or replace (repeatable)")
	f.StringVar(&o.nodes, "nodes", "", "nodes to create: a number, or a file of manifests (default none)")
	f.StringVar(&o.shape, "node-shape", "", "shape of counted nodes, e.g. cpu=32,memory=128Gi,pods=110")
	f.Float32Var(&o.kubeAPIQPS, "kube-api-qps", 0, "client-side rate limit of scheduler and controllers (0: as in a default cluster, -1: none)")
	f.IntVarP(&o.verbosity, "verbosity", "v", 0, "log verbosity of the Kubernetes components")
	return cmd
}

func runServe(ctx context.Context, o serveOptions, out io.Writer) (err error) {
	log := io.Discard
	if o.dir != "" {
		if err := os.MkdirAll(o.dir, 0o700); err != nil {
			return fmt.Errorf("create folder: %w", err)
		}
		file, err := os.OpenFile(filepath.Join(o.dir, "log.txt"), os.O_CREATE|os.O_WRONLY|os.O_TRUNC, 0o600)
		if err != nil {
			return fmt.Errorf("create log: %w", err)
		}
		defer file.Close()
		log = file
	}
	opts := controlplane.Options{
		Port:            o.port,
		SchedulerConfig: o.schedulerConfig,
		Controllers:     o.controllers,
		KubeAPIQPS:      o.kubeAPIQPS,
		Log:             log,
		Verbosity:       o.verbosity,
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
	defer func() {
		stopCtx, cancel := context.WithTimeout(context.WithoutCancel(ctx), stopTimeout)
		defer cancel()
		err = errors.Join(err, cp.Stop(stopCtx))
	}()
	if plan != nil {
		client, err := kubernetes.NewForConfig(cp.RESTConfig())
		if err != nil {
			return fmt.Errorf("make client: %w", err)
		}
		if err := nodes.Create(ctx, client, plan.Nodes, nil); err != nil {
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

// planServedNodes resolves the flags to nodes, or nil for none.
func planServedNodes(value, shape string) (*nodes.Plan, error) {
	if value == "" {
		return nil, nil
	}
	spec, err := nodes.ParseSpec(value, shape)
	if err != nil {
		return nil, err
	}
	if spec.Auto() {
		return nil, errors.New("--nodes auto needs a trace to go by: give a number or a file of manifests")
	}
	plan, err := nodes.Prepare(spec, nil)
	if err != nil {
		return nil, err
	}
	// Every node of this cluster is simulated, so there are no others to keep pods for: plain
	// kubectl should see its pods run.
	for _, node := range plan.Nodes {
		node.Spec.Taints = slices.DeleteFunc(node.Spec.Taints, func(t corev1.Taint) bool { return t.Key == simkubev1.TaintKwokProvider })
	}
	return plan, nil
}

// announce writes the files by which others find the cluster, ready.json last and at once.
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
	ready := Ready{PID: os.Getpid(), Kubeconfig: kubeconfig, Server: cp.Server(), StartedAt: time.Now().UTC(), Version: version()}
	data, err := json.MarshalIndent(ready, "", "  ")
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

func readManifests(files []string) ([]controlplane.Manifest, error) {
	var out []controlplane.Manifest
	for _, file := range files {
		data, err := os.ReadFile(file)
		if err != nil {
			return nil, fmt.Errorf("read manifest: %w", err)
		}
		out = append(out, controlplane.Manifest{Name: file, Data: data})
	}
	return out, nil
}
