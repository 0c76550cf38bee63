package controlplane

import (
	"testing"

	corev1 "k8s.io/api/core/v1"
	eventsv1 "k8s.io/api/events/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// TestOptions_CreateFailed holds that events of both groups are passed on when they are created and
// when they are counted again, unless they have another reason or are a dry run.
func TestOptions_CreateFailed(t *testing.T) {
	c := clientset(t)
	of := corev1.ObjectReference{Kind: "Job", Namespace: "default", Name: "refused", UID: "u"}
	event := func(name, reason string) *corev1.Event {
		return &corev1.Event{
			ObjectMeta:     metav1.ObjectMeta{Namespace: "default", Name: name},
			InvolvedObject: of, Reason: reason, Message: name, Count: 1,
		}
	}
	core := c.CoreV1().Events("default")
	dryRun := metav1.CreateOptions{DryRun: []string{metav1.DryRunAll}}
	if _, err := core.Create(t.Context(), event("rehearsed", failedCreate), dryRun); err != nil {
		t.Fatal(err)
	}
	if _, err := core.Create(t.Context(), event("other", "SuccessfulCreate"), metav1.CreateOptions{}); err != nil {
		t.Fatal(err)
	}
	first, err := core.Create(t.Context(), event("first", failedCreate), metav1.CreateOptions{})
	if err != nil {
		t.Fatal(err)
	}
	first.Count = 2
	if _, err := core.Update(t.Context(), first, metav1.UpdateOptions{}); err != nil {
		t.Fatal(err)
	}
	_, err = c.EventsV1().Events("default").Create(t.Context(), &eventsv1.Event{
		ObjectMeta: metav1.ObjectMeta{Namespace: "default", Name: "second"}, EventTime: metav1.NowMicro(),
		ReportingController: "example.com/test", ReportingInstance: "test", Action: "Create", Type: corev1.EventTypeWarning,
		Regarding: of, Reason: failedCreate, Note: "second",
	}, metav1.CreateOptions{})
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []struct {
		message string
		count   int32
	}{{"first", 1}, {"first", 2}, {"second", 0}} {
		select {
		case got := <-failures:
			if got.Message != want.message || got.Count != want.count || got.InvolvedObject != of {
				t.Errorf("got %q of %v, count %d; want %q of %v, count %d",
					got.Message, got.InvolvedObject, got.Count, want.message, of, want.count)
			}
		default:
			t.Fatalf("no event %q", want.message)
		}
	}
	select {
	case got := <-failures:
		t.Errorf("another event: %q", got.Message)
	default:
	}
}
