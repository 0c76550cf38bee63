package controlplane

import (
	"context"
	"fmt"
	"log/slog"
	"time"

	"k8s.io/apiserver/pkg/authentication/user"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/rest"
	"k8s.io/utils/clock"
	"sigs.k8s.io/kwok/pkg/client/clientset/versioned"
	"sigs.k8s.io/kwok/pkg/kwok/controllers"
	"sigs.k8s.io/kwok/pkg/log"
	"sigs.k8s.io/kwok/pkg/utils/client"

	simkubev1 "simkube.io/simkube/api/v1"
)

const (
	// simulatedNodeIP is the address of every simulated node, from a range that is reserved for
	// documentation (RFC 5737), so that no host has it.
	simulatedNodeIP = "192.0.2.2"
	podCIDR         = "10.0.0.1/8"
	// userKWOK is the user that KWOK authenticates as.
	userKWOK = "kwok-controller"
	// kwokTimeout is how long KWOK may be without one of its watches. It retries one that it can't
	// open within 30 s.
	kwokTimeout = time.Minute
	// simulatedNodes selects the simulated nodes, by annotation, where there are others too.
	simulatedNodes = simkubev1.AnnotationKwokNode + "=fake"
)

// kwok returns the KWOK controller, which acts as the kubelets of the simulated nodes. It starts
// goroutines that report to the log only, and never reports that it has stopped. But while it works
// it watches nodes and pods: it is ready when it watches both, and has failed when it has not
// watched one of them for the timeout.
func kwok(opts Options, stages stagesByResource, timeout time.Duration) Component {
	watches := []string{"nodes", "pods"}
	return Component{
		Name:   "kwok",
		User:   userKWOK,
		Groups: []string{user.SystemPrivilegedGroup},
		Start: func(ctx context.Context, access Access) (Instance, error) {
			if err := startKWOK(ctx, access, stages, opts.RealNodes); err != nil {
				return Instance{}, err
			}
			return Instance{
				Run:   func(ctx context.Context) error { return access.transport.awaitLoss(ctx, timeout, watches...) },
				Ready: func(ctx context.Context) error { return access.transport.awaitWatches(ctx, watches...) },
			}, nil
		},
	}
}

// startKWOK starts the KWOK controller, which runs until ctx ends.
func startKWOK(ctx context.Context, access Access, stages stagesByResource, realNodes bool) error {
	ctx = log.NewContext(ctx, log.NewLogger(access.Log, kwokLevel(access.Verbosity)))
	set, err := client.NewClientset("", access.Kubeconfig)
	if err != nil {
		return fmt.Errorf("make clients: %w", err)
	}
	config, err := set.ToRESTConfig()
	if err != nil {
		return err
	}
	dynamicClient, err := set.ToDynamicClient()
	if err != nil {
		return err
	}
	mapper, err := set.ToRESTMapper()
	if err != nil {
		return err
	}
	restClient, err := rest.RESTClientFor(config)
	if err != nil {
		return fmt.Errorf("make REST client: %w", err)
	}
	typedConfig := rest.CopyConfig(config)
	typedConfig.ContentType = "application/vnd.kubernetes.protobuf"
	typedConfig.AcceptContentTypes = "application/vnd.kubernetes.protobuf,application/json"
	typedClient, err := kubernetes.NewForConfig(typedConfig)
	if err != nil {
		return fmt.Errorf("make typed client: %w", err)
	}
	kwokClient, err := versioned.NewForConfig(config)
	if err != nil {
		return fmt.Errorf("make KWOK client: %w", err)
	}
	id, err := controllers.Identity()
	if err != nil {
		return err
	}
	selector := ""
	if realNodes {
		selector = simulatedNodes
	}
	controller, err := controllers.NewController(controllers.Config{
		Clock:                             clock.RealClock{},
		DynamicClient:                     dynamicClient,
		RESTClient:                        restClient,
		RESTMapper:                        mapper,
		ImpersonatingDynamicClient:        set.ToImpersonatingDynamicClient(),
		ImpersonatingTypedClient:          set.ToImpersonatingTypedClient(),
		TypedClient:                       typedClient,
		TypedKwokClient:                   kwokClient,
		ManageAllNodes:                    !realNodes,
		ManageNodesWithAnnotationSelector: selector,
		CIDR:                              podCIDR,
		NodeIP:                            simulatedNodeIP,
		LocalStages:                       stages,
		PodPlayStageParallelism:           4,
		NodePlayStageParallelism:          4,
		PodsOnNodeSyncParallelism:         4,
		ID:                                id,
	})
	if err != nil {
		return fmt.Errorf("make controller: %w", err)
	}
	if err := controller.Start(ctx); err != nil {
		return fmt.Errorf("start controller: %w", err)
	}
	return nil
}

func kwokLevel(verbosity int) slog.Level {
	if verbosity >= 4 {
		return slog.LevelDebug
	}
	return slog.LevelWarn
}
