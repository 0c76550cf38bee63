package controlplane

import (
	"context"
	"io"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/kubernetes/cmd/kube-scheduler/app"
)

// MutatePod changes a pod that is being created, in place, and says whether it did.
// It sees the pod as the mutating webhooks of a cluster would: defaulted, with its
// namespace set. In a dry run the pod will not be created. An error rejects the pod. It
// is called concurrently.
type MutatePod func(ctx context.Context, pod *corev1.Pod, dryRun bool) (changed bool, err error)

// Options says how to run a control plane. The zero value is a working one: in
// memory, on a free port, with the settings of a default cluster.
type Options struct {
	// DataDir is the folder that holds everything the control plane writes. It is
	// created when it is missing and left in place by Stop. When empty, a folder in memory is
	// used (in the system's temporary folder where there is no /dev/shm) and removed by Stop.
	DataDir string

	// Port is the loopback port of the API server; 0 takes a free one.
	Port int

	// Controllers is the value of kube-controller-manager's --controllers: names
	// to run, "*" for the default ones, a leading "-" to leave one out. Empty means DefaultControllers.
	Controllers []string

	// SchedulerConfig is the path of a KubeSchedulerConfiguration file, or empty.
	// Its clientConnection.kubeconfig and leaderElection are replaced.
	SchedulerConfig string

	// KubeAPIQPS is the client-side rate limit of the scheduler and of each controller, in
	// requests per second, with twice as many in a burst. 0 keeps those of a default
	// cluster (50 for the scheduler, 20 for a controller); below 0 lifts the limit.
	// A scheduler configuration file decides for itself.
	KubeAPIQPS float32

	// SchedulerPlugins register scheduler plugins of others, see app.WithPlugin. A scheduler configuration file enables
	// them.
	SchedulerPlugins []app.Option

	// Components are started after the built-in ones, in this order.
	Components []Component

	// CRDs are manifests of CustomResourceDefinitions (YAML or JSON, one or more
	// documents each) to install and wait for before the controllers start.
	CRDs []Manifest

	// Stages are KWOK stage manifests that replace the built-in ones of the same
	// name or are added to them.
	Stages []Manifest

	// FeatureGates are Kubernetes feature gates to set, for the whole process.
	FeatureGates map[string]bool

	// Minimal leaves out what costs time even when nothing happens and what a simulation does not need: the
	// aggregation layer (APIService objects, and with them the metrics API), admission webhooks and policies,
	// the objects of priority and fairness, and features of servers that have peers. It is for virtual time,
	// where idling is all that takes long.
	Minimal bool

	// AggregatorRouting has the API server reach admission webhooks at the addresses of their pods, which it finds in
	// EndpointSlices, instead of at the address of their Service, where nobody listens. It is for pods that are processes
	// of this machine, and needs the default controllers.
	AggregatorRouting bool

	// RealNodes leaves nodes alone that do not have the annotation kwok.x-k8s.io/node=fake, and the pods on them.
	// Otherwise all nodes are simulated ones.
	RealNodes bool

	// MutatePod, when set, is called for every pod that is created.
	MutatePod MutatePod

	// Log receives the text logs of all components, or nothing when nil. It must be
	// safe for concurrent use.
	Log io.Writer

	// Verbosity is the components' log verbosity, klog's -v.
	Verbosity int
}

// Manifest is a file's content and the name to call it by in errors.
type Manifest struct {
	Name string
	Data []byte
}

// DefaultControllers are run when Options.Controllers is empty: those of a default
// cluster, without the ones that talk to a cloud provider or hand out pod addresses.
func DefaultControllers() []string {
	return []string{
		"*",
		"-cloud-node-lifecycle-controller",
		"-node-ipam-controller",
		"-node-route-controller",
		"-service-lb-controller",
	}
}

// SimulationControllers are DefaultControllers without those that only make
// credentials for real pods: simulated ones never read them.
func SimulationControllers() []string {
	return append(DefaultControllers(),
		"-clusterrole-aggregation-controller",
		"-kube-apiserver-serving-clustertrustbundle-publisher-controller",
		"-legacy-serviceaccount-token-cleaner-controller",
		"-root-ca-certificate-publisher-controller",
		"-serviceaccount-controller",
		"-serviceaccount-token-controller",
		"-token-cleaner-controller",
	)
}
