package controlplane

import (
	"context"
	"io"
	"time"

	corev1 "k8s.io/api/core/v1"
	apiextensionsv1 "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1"
	"k8s.io/kubernetes/cmd/kube-scheduler/app"
)

// MutatePod changes a pod that is being created, in place, and reports whether it did. It sees the
// pod as the mutating webhooks of a cluster would: defaulted, with its namespace set. In a dry run
// the pod will not be created. An error rejects the pod. It is called concurrently.
type MutatePod func(ctx context.Context, pod *corev1.Pod, dryRun bool) (changed bool, err error)

// Options are the options of a control plane. The zero value works: in memory, on a free port, with
// the settings of a default cluster.
type Options struct {
	// DataDir is the folder that holds everything the control plane writes. It is created if it is
	// missing, and Stop leaves it. If it is empty, a folder in memory is used (in the system's
	// temporary folder if there is no /dev/shm), which Stop removes.
	DataDir string

	// Port is the loopback port of the API server; 0 means a free one.
	Port int

	// Controllers is the value of kube-controller-manager's --controllers: names of controllers to
	// run, "*" for the default ones, a leading "-" to leave one out. Empty means DefaultControllers.
	Controllers []string

	// SchedulerConfig is the path of a KubeSchedulerConfiguration file, or empty. Its
	// clientConnection.kubeconfig and leaderElection are replaced.
	SchedulerConfig string

	// KubeAPIQPS is the client-side rate limit of the scheduler and of each controller, in requests
	// per second, with twice as many in a burst. 0 means that of a default cluster (50 for the
	// scheduler, 20 for a controller), a negative value no limit. It does not affect a scheduler with
	// a configuration file.
	KubeAPIQPS float32

	// UnschedulableTimeout is how long a pod waits at most that the scheduler found no node for, until
	// it is tried again, whatever has changed. The scheduler looks for such pods every 30 s. 0 means
	// the default of kube-scheduler, 5 minutes.
	UnschedulableTimeout time.Duration

	// SchedulerPlugins register scheduler plugins, see app.WithPlugin. A scheduler configuration file
	// enables them.
	SchedulerPlugins []app.Option

	// Components are started after the built-in ones, in this order.
	Components []Component

	// CRDs are manifests of CustomResourceDefinitions (YAML or JSON, one or more documents each). They
	// are served before the components start.
	CRDs []Manifest

	// Definitions are served, too, if neither CRDs nor a component defines their kinds.
	Definitions []*apiextensionsv1.CustomResourceDefinition

	// Stages are KWOK stage manifests that are added to the built-in ones. A stage replaces a built-in
	// one of the same name.
	Stages []Manifest

	// FeatureGates are Kubernetes feature gates, which are set for the whole process.
	FeatureGates map[string]bool

	// Minimal leaves out what a simulation does not need and what costs time even if nothing happens:
	// the aggregation layer (APIService objects, and with them the metrics API), admission webhooks
	// and policies, the objects of priority and fairness, the metrics of the API server, and features
	// of servers that have peers. It is for virtual time, in which only idle time is expensive.
	Minimal bool

	// AggregatorRouting has the API server reach admission webhooks at the addresses of their pods,
	// which it finds in EndpointSlices, instead of at the address of their Service, where nothing
	// listens. It is for pods that are processes of this machine, and needs the default controllers.
	AggregatorRouting bool

	// RealNodes has KWOK ignore nodes without the annotation kwok.x-k8s.io/node=fake, and the pods on
	// them. Otherwise all nodes are simulated.
	RealNodes bool

	// MutatePod, if not nil, is called for every pod that is created.
	MutatePod MutatePod

	// CreateFailed, if not nil, is called for every event that says that a controller could not create
	// an object, when the event is created and when it is counted again. It is called concurrently,
	// and the request waits for it. A watch would cost more: events have no watch cache.
	CreateFailed func(ctx context.Context, event *corev1.Event)

	// Log receives the text logs of all components; nil discards them. It must be safe for concurrent
	// use.
	Log io.Writer

	// Verbosity is the log verbosity of the components, as klog's -v.
	Verbosity int
}

// Manifest is the content of a file, and the name that errors call it by.
type Manifest struct {
	Name string
	Data []byte
}

// DefaultControllers returns the controllers of a default cluster, without those that talk to a
// cloud provider or assign addresses to pods.
func DefaultControllers() []string {
	return []string{
		"*",
		"-cloud-node-lifecycle-controller",
		"-node-ipam-controller",
		"-node-route-controller",
		"-service-lb-controller",
	}
}

// SimulationControllers returns DefaultControllers without those that only make credentials for
// pods, which simulated pods never read, and without the one that attaches volumes: no driver
// completes its VolumeAttachments, which then count as volumes of the node, and it wakes up ten
// times a second.
func SimulationControllers() []string {
	return append(DefaultControllers(),
		"-clusterrole-aggregation-controller",
		"-kube-apiserver-serving-clustertrustbundle-publisher-controller",
		"-legacy-serviceaccount-token-cleaner-controller",
		"-persistentvolume-attach-detach-controller",
		"-root-ca-certificate-publisher-controller",
		"-serviceaccount-controller",
		"-serviceaccount-token-controller",
		"-token-cleaner-controller",
	)
}
