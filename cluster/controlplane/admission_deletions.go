package controlplane

import (
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"sync"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apiserver/pkg/admission"
	genericoptions "k8s.io/apiserver/pkg/server/options"
	"k8s.io/kubernetes/pkg/apis/core"
	conversion "k8s.io/kubernetes/pkg/apis/core/v1"
	"sigs.k8s.io/kwok/pkg/apis/internalversion"
	"sigs.k8s.io/kwok/pkg/utils/lifecycle"
)

// deletionAdmissionName is the name of the plugin in the API server's chain.
const deletionAdmissionName = "SimKubeDeletions"

var (
	podStages = internalversion.StageResourceRef{APIGroup: "v1", Kind: "Pod"}

	// errOtherPod is why KWOK may not delete a pod.
	errOtherPod = errors.New("no stage deletes this pod: it was created after the one that a stage deletes")
)

// deletionAdmission refuses that KWOK deletes another pod than it means to. KWOK deletes pods by
// name, and sometimes twice. If a pod of a StatefulSet was created again in between, it would
// delete the new one.
type deletionAdmission struct {
	*admission.Handler

	// mu guards stages, which are compiled when they are first used.
	mu     sync.Mutex
	stages lifecycle.Lifecycle
}

var _ admission.ValidationInterface = (*deletionAdmission)(nil)

func registerDeletionAdmission(opts *genericoptions.AdmissionOptions, stages stagesByResource) error {
	deleting, err := lifecycle.NewLifecycle(slices.DeleteFunc(slices.Clone(stages[podStages]), func(s *internalversion.Stage) bool {
		return !slices.ContainsFunc(s.Spec.Steps, func(step internalversion.StageStep) bool { return step.Delete })
	}))
	if err != nil {
		return fmt.Errorf("read KWOK stages: %w", err)
	}
	opts.Plugins.Register(deletionAdmissionName, func(io.Reader) (admission.Interface, error) {
		return &deletionAdmission{Handler: admission.NewHandler(admission.Delete), stages: deleting}, nil
	})
	opts.RecommendedPluginOrder = append(slices.Clone(opts.RecommendedPluginOrder), deletionAdmissionName)
	return nil
}

// Validate implements admission.ValidationInterface. The old object is the one that is deleted.
func (p *deletionAdmission) Validate(ctx context.Context, attrs admission.Attributes, _ admission.ObjectInterfaces) error {
	if attrs.GetResource().GroupResource() != core.Resource("pods") || attrs.GetSubresource() != "" ||
		attrs.GetUserInfo().GetName() != userKWOK {
		return nil
	}
	internal, ok := attrs.GetOldObject().(*core.Pod)
	if !ok || internal.DeletionTimestamp != nil {
		return nil
	}
	// The conversion shares memory with the object, which is not changed.
	pod := &corev1.Pod{}
	if err := conversion.Convert_core_Pod_To_v1_Pod(internal, pod, nil); err != nil {
		return fmt.Errorf("admit deletion of pod: %w", err)
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	matching, err := p.stages.ListAllPossible(ctx, &lifecycle.Event{Labels: pod.Labels, Annotations: pod.Annotations, Data: pod})
	if err != nil {
		return fmt.Errorf("admit deletion of pod: %w", err)
	}
	if len(matching) == 0 {
		return admission.NewForbidden(attrs, errOtherPod)
	}
	return nil
}
