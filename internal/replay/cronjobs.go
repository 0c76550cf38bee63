package replay

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"strconv"
	"time"

	batchv1 "k8s.io/api/batch/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"

	"simkube.io/simkube/trace"
)

var cronJobKind = schema.GroupKind{Group: "batch", Kind: "CronJob"}

// startRuns creates the Jobs of a CronJob that were running when the trace began. Its controller
// starts only those that are due after the CronJob was created.
func (t *task) startRuns(ctx context.Context, at place, cronJob *metav1.PartialObjectMetadata, body []byte) error {
	if t.event.index > 0 {
		return nil
	}
	owner := trace.PodOwner{GVK: t.gvk, Name: trace.NamespacedName(t.key.namespace, t.key.name)}
	minutes := t.r.plan.Lifecycles.Started(owner, t.r.plan.Origin)
	if len(minutes) == 0 {
		return nil
	}
	var spec struct {
		Spec struct {
			ConcurrencyPolicy batchv1.ConcurrencyPolicy
			JobTemplate       jobTemplate
		}
	}
	if err := json.Unmarshal(body, &spec); err != nil {
		return fmt.Errorf("decode: %w", err)
	}
	var active []corev1.ObjectReference
	for _, minute := range minutes {
		ref, err := t.startRun(ctx, at, cronJob, spec.Spec.JobTemplate, t.r.schedule.minute(minute))
		if err != nil {
			return fmt.Errorf("create the Job that was running when the trace began: %w", err)
		}
		active = append(active, ref)
	}
	if spec.Spec.ConcurrencyPolicy != batchv1.ForbidConcurrent && spec.Spec.ConcurrencyPolicy != batchv1.ReplaceConcurrent {
		return nil
	}
	// The controller counts only Jobs in the status.
	status, err := json.Marshal(map[string]any{"status": map[string]any{"active": active}})
	if err != nil {
		return fmt.Errorf("encode the status: %w", err)
	}
	if err := t.r.target.mergeStatus(ctx, at, status); err != nil {
		return fmt.Errorf("set the active Jobs: %w", err)
	}
	return nil
}

// jobTemplate is the template of a CronJob's Jobs.
type jobTemplate struct {
	Metadata struct {
		Labels      map[string]string `json:"labels,omitempty"`
		Annotations map[string]string `json:"annotations,omitempty"`
	} `json:"metadata"`
	Spec json.RawMessage `json:"spec"`
}

// startRun creates a Job as the controller does, which was due at a time.
func (t *task) startRun(ctx context.Context, at place, cronJob *metav1.PartialObjectMetadata, template jobTemplate, due time.Time) (corev1.ObjectReference, error) {
	annotations := map[string]string{batchv1.CronJobScheduledTimestampAnnotation: due.UTC().Format(time.RFC3339)}
	maps.Copy(annotations, template.Metadata.Annotations)
	jobAt := place{
		resource:  at.resource.GroupVersion().WithResource("jobs"),
		namespace: at.namespace,
		name:      at.name + "-" + strconv.FormatInt(due.Unix()/60, 10),
	}
	group := at.resource.GroupVersion().String()
	manifest, err := json.Marshal(map[string]any{
		"apiVersion": group,
		"kind":       "Job",
		"metadata": metav1.ObjectMeta{
			Name:        jobAt.name,
			Namespace:   jobAt.namespace,
			Labels:      template.Metadata.Labels,
			Annotations: annotations,
			OwnerReferences: []metav1.OwnerReference{{
				APIVersion: group, Kind: cronJobKind.Kind, Name: cronJob.Name, UID: cronJob.UID, Controller: new(true),
			}},
		},
		"spec": template.Spec,
	})
	if err != nil {
		return corev1.ObjectReference{}, fmt.Errorf("encode: %w", err)
	}
	job, err := t.r.target.apply(ctx, jobAt, manifest)
	if err != nil {
		return corev1.ObjectReference{}, err
	}
	return corev1.ObjectReference{APIVersion: group, Kind: "Job", Namespace: jobAt.namespace, Name: jobAt.name, UID: job.UID}, nil
}
