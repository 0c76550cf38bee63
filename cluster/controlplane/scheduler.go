package controlplane

import (
	"context"
	"fmt"
	"os"
	"sync/atomic"
	"time"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/util/wait"
	"k8s.io/apiserver/pkg/authentication/user"
	"k8s.io/klog/v2"
	"k8s.io/kubernetes/cmd/kube-scheduler/app"
	"k8s.io/kubernetes/cmd/kube-scheduler/app/options"
	"k8s.io/kubernetes/pkg/scheduler"
	"sigs.k8s.io/yaml"
)

// podQueue is the queue of the scheduler, once it has been set up.
type podQueue struct {
	scheduler atomic.Pointer[scheduler.Scheduler]
}

// retryTimeout bounds how long retry waits for the scheduler, and retryPoll is how often it looks.
const (
	retryTimeout = 30 * time.Second
	retryPoll    = 20 * time.Millisecond
)

// retry has the scheduler try every pod again that it found no node for, without a back-off. It
// returns when the scheduler has tried them, or after some time.
func (q *podQueue) retry(ctx context.Context) {
	s := q.scheduler.Load()
	if s == nil {
		return
	}
	pending, _ := s.SchedulingQueue.PendingPods()
	for _, pod := range pending {
		s.SchedulingQueue.Activate(klog.FromContext(ctx), map[string]*corev1.Pod{pod.Namespace + "/" + pod.Name: pod})
	}
	ctx, cancel := context.WithTimeout(ctx, retryTimeout)
	defer cancel()
	_ = wait.PollUntilContextCancel(ctx, retryPoll, true, func(context.Context) (bool, error) {
		return len(s.SchedulingQueue.PodsInActiveQ()) == 0 && len(s.SchedulingQueue.InFlightPods()) == 0, nil
	})
}

// kubeScheduler returns kube-scheduler, whose queue is put into queue.
func kubeScheduler(opts Options, queue *podQueue) Component {
	return Component{
		Name:   "kube-scheduler",
		User:   user.KubeScheduler,
		Groups: []string{user.SystemPrivilegedGroup},
		Start: func(ctx context.Context, access Access) (Instance, error) {
			args, err := schedulerArgs(access, opts)
			if err != nil {
				return Instance{}, err
			}
			return newScheduler(ctx, args, opts.SchedulerPlugins, queue)
		},
	}
}

// schedulerArgs returns the flags of kube-scheduler. With a configuration file its other flags have
// no effect, so the file is copied with our connection in it.
func schedulerArgs(access Access, opts Options) ([]string, error) {
	args := []string{"--secure-port=0", "--leader-elect=false"}
	if opts.UnschedulableTimeout > 0 {
		args = append(args, "--pod-max-in-unschedulable-pods-duration="+opts.UnschedulableTimeout.String())
	}
	configFile := opts.SchedulerConfig
	if configFile == "" {
		return append(append(args, "--kubeconfig="+access.Kubeconfig), qpsArgs(opts.KubeAPIQPS)...), nil
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
func newScheduler(ctx context.Context, args []string, plugins []app.Option, queue *podQueue) (Instance, error) {
	opts := options.NewOptions()
	if err := parseFlags(*opts.Flags, args); err != nil {
		return Instance{}, err
	}
	config, sched, err := app.Setup(ctx, opts, plugins...)
	if err != nil {
		return Instance{}, fmt.Errorf("set up: %w", err)
	}
	queue.scheduler.Store(sched)
	run := func(ctx context.Context) error { return app.Run(ctx, config, sched) }
	return Instance{Run: run, Ready: sched.WaitForHandlersSync}, nil
}
