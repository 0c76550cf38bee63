package controlplane

import (
	"context"
	"fmt"
	"os"

	"k8s.io/apiserver/pkg/authentication/user"
	"k8s.io/kubernetes/cmd/kube-scheduler/app"
	"k8s.io/kubernetes/cmd/kube-scheduler/app/options"
	"sigs.k8s.io/yaml"
)

// scheduler returns kube-scheduler.
func scheduler(opts Options) Component {
	return Component{
		Name:   "kube-scheduler",
		User:   user.KubeScheduler,
		Groups: []string{user.SystemPrivilegedGroup},
		Start: func(ctx context.Context, access Access) (Instance, error) {
			args, err := schedulerArgs(access, opts.SchedulerConfig, opts.KubeAPIQPS)
			if err != nil {
				return Instance{}, err
			}
			return newScheduler(ctx, args, opts.SchedulerPlugins)
		},
	}
}

// schedulerArgs returns the flags of kube-scheduler. With a configuration file its other flags have
// no effect, so the file is copied with our connection in it.
func schedulerArgs(access Access, configFile string, qps float32) ([]string, error) {
	args := []string{"--secure-port=0", "--leader-elect=false"}
	if configFile == "" {
		return append(append(args, "--kubeconfig="+access.Kubeconfig), qpsArgs(qps)...), nil
	}
	data, err := os.ReadFile(configFile)
	if err != nil {
		return nil, fmt.Errorf("read scheduler configuration: %w", err)
	}
	data, err = connectSchedulerConfig(data, access.Kubeconfig)
	if err != nil {
		return nil, fmt.Errorf("scheduler configuration %s: %w", configFile, err)
	}
	rewritten := access.dir.file("scheduler.yaml")
	if err := os.WriteFile(rewritten, data, 0o600); err != nil {
		return nil, fmt.Errorf("write scheduler configuration: %w", err)
	}
	return append(args, "--config="+rewritten), nil
}

// connectSchedulerConfig sets the connection in a KubeSchedulerConfiguration and turns leader
// election off; everything else stays as it is.
func connectSchedulerConfig(data []byte, kubeconfig string) ([]byte, error) {
	var config map[string]any
	if err := yaml.Unmarshal(data, &config); err != nil {
		return nil, err
	}
	if kind, _ := config["kind"].(string); kind != "KubeSchedulerConfiguration" {
		return nil, fmt.Errorf("want kind KubeSchedulerConfiguration, got %q", kind)
	}
	connection, _ := config["clientConnection"].(map[string]any)
	if connection == nil {
		connection = map[string]any{}
	}
	connection["kubeconfig"] = kubeconfig
	config["clientConnection"] = connection
	config["leaderElection"] = map[string]any{"leaderElect": false}
	return yaml.Marshal(config)
}

// newScheduler prepares kube-scheduler, which is ready when it has seen what the cluster holds.
func newScheduler(ctx context.Context, args []string, plugins []app.Option) (Instance, error) {
	opts := options.NewOptions()
	if err := parseFlags(*opts.Flags, args); err != nil {
		return Instance{}, err
	}
	config, sched, err := app.Setup(ctx, opts, plugins...)
	if err != nil {
		return Instance{}, fmt.Errorf("set up: %w", err)
	}
	run := func(ctx context.Context) error { return app.Run(ctx, config, sched) }
	return Instance{Run: run, Ready: sched.WaitForHandlersSync}, nil
}
