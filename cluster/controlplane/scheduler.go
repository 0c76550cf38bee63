package controlplane

import (
	"context"
	"fmt"
	"os"

	"k8s.io/kubernetes/cmd/kube-scheduler/app"
	"k8s.io/kubernetes/cmd/kube-scheduler/app/options"
	"sigs.k8s.io/yaml"
)

// schedulerArgs are the flags of kube-scheduler. With a configuration file its other flags
// are ignored, so the file is rewritten with our connection.
func schedulerArgs(dir *dataDir, configFile string, qps float32) ([]string, error) {
	kubeconfig := dir.file("scheduler.kubeconfig")
	args := []string{"--secure-port=0", "--leader-elect=false"}
	if configFile == "" {
		return append(append(args, "--kubeconfig="+kubeconfig), qpsArgs(qps)...), nil
	}
	data, err := os.ReadFile(configFile)
	if err != nil {
		return nil, fmt.Errorf("read scheduler configuration: %w", err)
	}
	data, err = connectSchedulerConfig(data, kubeconfig)
	if err != nil {
		return nil, fmt.Errorf("scheduler configuration %s: %w", configFile, err)
	}
	rewritten := dir.file("scheduler.yaml")
	if err := os.WriteFile(rewritten, data, 0o600); err != nil {
		return nil, fmt.Errorf("write scheduler configuration: %w", err)
	}
	return append(args, "--config="+rewritten), nil
}

// connectSchedulerConfig sets the connection in a KubeSchedulerConfiguration and turns
// leader election off; everything else stays as the user wrote it.
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

// newScheduler prepares kube-scheduler; the result runs it, and ready waits until it
// has seen what the cluster holds.
func newScheduler(ctx context.Context, args []string) (run, ready func(context.Context) error, err error) {
	opts := options.NewOptions()
	if err := parseFlags(*opts.Flags, args); err != nil {
		return nil, nil, err
	}
	config, sched, err := app.Setup(ctx, opts)
	if err != nil {
		return nil, nil, fmt.Errorf("set up: %w", err)
	}
	run = func(ctx context.Context) error { return app.Run(ctx, config, sched) }
	return run, sched.WaitForHandlersSync, nil
}
