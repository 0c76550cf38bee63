package controlplane

import (
	"context"
	"fmt"
	"strconv"
	"strings"

	"k8s.io/apiserver/pkg/authentication/user"
	"k8s.io/kubernetes/cmd/kube-controller-manager/app"
	"k8s.io/kubernetes/cmd/kube-controller-manager/app/options"
)

// liftedQPS is the value for no limit of flags that have none.
const liftedQPS = 1_000_000

// controllerManager returns kube-controller-manager.
func controllerManager(opts Options) Component {
	return Component{
		Name:   "kube-controller-manager",
		User:   user.KubeControllerManager,
		Groups: []string{user.SystemPrivilegedGroup},
		Start: func(ctx context.Context, access Access) (Instance, error) {
			run, err := newControllerManager(ctx, controllerManagerArgs(access, opts.Controllers, opts.KubeAPIQPS))
			// Without a port it has no health check to ask. That of the one with a port succeeds as soon as
			// it has reached the API server, so this one is ready then, too.
			return Instance{Run: run, Ready: access.transport.awaitAnswer}, err
		},
	}
}

func controllerManagerArgs(access Access, controllers []string, qps float32) []string {
	args := []string{
		"--kubeconfig=" + access.Kubeconfig,
		"--leader-elect=false",
		"--secure-port=0",
		"--controllers=" + strings.Join(controllers, ","),
		"--service-account-private-key-file=" + access.dir.file("sa.key"),
		"--root-ca-file=" + access.dir.file("ca.crt"),
		// Simulated nodes send no heartbeats: a node is as healthy as its conditions say, however old
		// they are.
		"--node-monitor-grace-period=876000h",
	}
	return append(args, qpsArgs(qps)...)
}

func qpsArgs(qps float32) []string {
	switch {
	case qps == 0:
		return nil
	case qps < 0:
		qps = liftedQPS
	}
	return []string{
		"--kube-api-qps=" + strconv.FormatFloat(float64(qps), 'f', -1, 32),
		"--kube-api-burst=" + strconv.Itoa(max(1, int(2*qps))),
	}
}

// newControllerManager prepares kube-controller-manager, and returns a function that runs it.
func newControllerManager(ctx context.Context, args []string) (func(context.Context) error, error) {
	opts, err := options.NewKubeControllerManagerOptions()
	if err != nil {
		return nil, fmt.Errorf("make options: %w", err)
	}
	known, off, aliases := app.KnownControllers(), app.ControllersDisabledByDefault(), app.ControllerAliases()
	if err := parseFlags(opts.Flags(known, off, aliases), args); err != nil {
		return nil, err
	}
	config, err := opts.Config(ctx, known, off, aliases)
	if err != nil {
		return nil, fmt.Errorf("make config: %w", err)
	}
	completed := config.Complete()
	return func(ctx context.Context) error { return app.Run(ctx, completed) }, nil
}
