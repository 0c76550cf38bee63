package controlplane

import (
	"context"
	"fmt"
	"io"
	"slices"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apiserver/pkg/admission"
	genericoptions "k8s.io/apiserver/pkg/server/options"
	"k8s.io/kubernetes/pkg/apis/core"
	conversion "k8s.io/kubernetes/pkg/apis/core/v1"
)

// failureAdmissionName is the name of the plugin in the API server's chain.
const failureAdmissionName = "SimKubeFailures"

// failedCreate is the reason of the events of controllers that could not create an object.
const failedCreate = "FailedCreate"

// failureAdmission passes on the events with the reason failedCreate. It refuses nothing.
type failureAdmission struct {
	*admission.Handler
	failed func(context.Context, *corev1.Event)
}

var _ admission.ValidationInterface = (*failureAdmission)(nil)

func registerFailureAdmission(opts *genericoptions.AdmissionOptions, failed func(context.Context, *corev1.Event)) {
	if failed == nil {
		return
	}
	opts.Plugins.Register(failureAdmissionName, func(io.Reader) (admission.Interface, error) {
		return &failureAdmission{Handler: admission.NewHandler(admission.Create, admission.Update), failed: failed}, nil
	})
	// The last one, so that it gets no event that another plugin refuses.
	opts.RecommendedPluginOrder = append(slices.Clone(opts.RecommendedPluginOrder), failureAdmissionName)
}

// Validate implements admission.ValidationInterface.
func (p *failureAdmission) Validate(ctx context.Context, attrs admission.Attributes, _ admission.ObjectInterfaces) error {
	// Events of both API groups have the same internal type.
	internal, ok := attrs.GetObject().(*core.Event)
	if !ok || internal.Reason != failedCreate || attrs.IsDryRun() {
		return nil
	}
	// The conversion shares memory with the object, which is stored after this.
	event := &corev1.Event{}
	if err := conversion.Convert_core_Event_To_v1_Event(internal.DeepCopy(), event, nil); err != nil {
		return fmt.Errorf("admit event: %w", err)
	}
	p.failed(ctx, event)
	return nil
}
