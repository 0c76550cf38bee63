package controlplane

import (
	"context"
	"fmt"
	"io"
	"slices"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apiserver/pkg/admission"
	"k8s.io/apiserver/pkg/admission/plugin/policy/mutating"
	genericoptions "k8s.io/apiserver/pkg/server/options"
	"k8s.io/kubernetes/pkg/apis/core"
	conversion "k8s.io/kubernetes/pkg/apis/core/v1"
)

// podAdmissionName is the name of our plugin in the API server's chain.
const podAdmissionName = "SimKubePods"

// podAdmission calls a MutatePod for every pod that is created. Its place is that of the mutating
// webhooks, after the built-in plugins, so that a mutation sees the same pod in process and in a
// cluster.
type podAdmission struct {
	*admission.Handler
	mutate MutatePod
}

var _ admission.MutationInterface = (*podAdmission)(nil)

func registerPodAdmission(opts *genericoptions.AdmissionOptions, mutate MutatePod) {
	if mutate == nil {
		return
	}
	opts.Plugins.Register(podAdmissionName, func(io.Reader) (admission.Interface, error) {
		return &podAdmission{Handler: admission.NewHandler(admission.Create), mutate: mutate}, nil
	})
	order := slices.Clone(opts.RecommendedPluginOrder)
	at := slices.Index(order, mutating.PluginName)
	if at < 0 {
		at = len(order)
	}
	opts.RecommendedPluginOrder = slices.Insert(order, at, podAdmissionName)
}

// Admit implements admission.MutationInterface.
func (p *podAdmission) Admit(ctx context.Context, attrs admission.Attributes, _ admission.ObjectInterfaces) error {
	if attrs.GetResource().GroupResource() != core.Resource("pods") || attrs.GetSubresource() != "" {
		return nil
	}
	internal, ok := attrs.GetObject().(*core.Pod)
	if !ok {
		return fmt.Errorf("admit pod: want a *core.Pod, got %T", attrs.GetObject())
	}
	// The conversions share most memory, which is safe: the object belongs to this request.
	pod := &corev1.Pod{}
	if err := conversion.Convert_core_Pod_To_v1_Pod(internal, pod, nil); err != nil {
		return fmt.Errorf("admit pod: %w", err)
	}
	pod.Namespace = attrs.GetNamespace()
	changed, err := p.mutate(ctx, pod, attrs.IsDryRun())
	if err != nil {
		return admission.NewForbidden(attrs, fmt.Errorf("mutate the simulated pod: %w", err))
	}
	if !changed {
		return nil
	}
	out := &core.Pod{}
	if err := conversion.Convert_v1_Pod_To_core_Pod(pod, out, nil); err != nil {
		return fmt.Errorf("admit pod: %w", err)
	}
	*internal = *out
	return nil
}
