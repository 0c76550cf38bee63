package driver

import (
	"context"
	"fmt"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	simkubev1 "simkube.io/simkube/api/v1"
	"simkube.io/simkube/internal/printable"
	"simkube.io/simkube/internal/words"
)

// maxEventMessage is how many bytes the API server accepts in the message of an Event.
const maxEventMessage = 1024

// event creates an Event for the Simulation, which kubectl describe shows. If that fails, the
// message is logged.
func (d *driver) event(ctx context.Context, kind, reason, message string) {
	now := metav1.NewTime(d.opts.Clock.Now())
	event := &corev1.Event{
		// Events of cluster-scoped objects are in the default namespace.
		ObjectMeta: metav1.ObjectMeta{GenerateName: d.sim.Name + ".", Namespace: metav1.NamespaceDefault},
		InvolvedObject: corev1.ObjectReference{
			APIVersion: simkubev1.GroupVersion.String(), Kind: "Simulation", Name: d.sim.Name, UID: d.sim.UID,
		},
		Type: kind, Reason: reason, Message: words.ClipBytes(printable.Text(message), maxEventMessage), Count: 1, FirstTimestamp: now, LastTimestamp: now,
		Source: corev1.EventSource{Component: fieldManager}, ReportingController: fieldManager, ReportingInstance: d.opts.Pod,
	}
	if _, err := d.client.CoreV1().Events(metav1.NamespaceDefault).Create(context.WithoutCancel(ctx), event, metav1.CreateOptions{}); err != nil {
		d.log.WarnContext(ctx, "an event was not written", "reason", reason, "message", message, "error", err)
	}
}

// hookDone logs how a hook ended, and creates an Event.
func (d *driver) hookDone(ctx context.Context, record simkubev1.HookRecord, err error) {
	name := fmt.Sprintf("%s[%d] of run %d", record.Phase, record.Index, record.Run)
	code := ""
	if record.ExitCode != nil {
		code = fmt.Sprintf(" with exit code %d", *record.ExitCode)
	}
	if err == nil {
		d.log.InfoContext(ctx, "hook succeeded", "hook", name)
		d.event(ctx, corev1.EventTypeNormal, "HookSucceeded", name+" ended"+code)
		return
	}
	d.log.WarnContext(ctx, "hook failed", "hook", name, "error", err)
	d.event(ctx, corev1.EventTypeWarning, "HookFailed", name+" failed"+code+": "+err.Error())
}
