package controlplane

import (
	"context"
	"fmt"
	"log/slog"

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
	// simulatedNodeIP is the address of every simulated node, from a range set
	// aside for documentation (RFC 5737): nothing is there.
	simulatedNodeIP = "192.0.2.2"
	podCIDR         = "10.0.0.1/8"
	// simulatedNodes selects, by annotation, the nodes that are simulated where there are others too.
	simulatedNodes = simkubev1.AnnotationKwokNode + "=fake"
)

// startKWOK starts the KWOK controller, which plays the kubelets of the simulated nodes. It runs until
// ctx ends and reports its troubles to the log only.
func startKWOK(ctx context.Context, kubeconfig string, stages stagesByResource, opts Options) error {
	ctx = log.NewContext(ctx, log.NewLogger(opts.Log, kwokLevel(opts.Verbosity)))
	set, err := client.NewClientset("", kubeconfig)
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
	if opts.RealNodes {
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
		ManageAllNodes:                    !opts.RealNodes,
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
