package controller

import (
	"errors"
	"strings"
	"testing"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	clocktesting "k8s.io/utils/clock/testing"

	simkubev1 "simkube.io/simkube/api/v1"
)

func at(seconds int) time.Time {
	return time.Date(2030, 1, 1, 0, 0, 0, 0, time.UTC).Add(time.Duration(seconds) * time.Second)
}

func TestSetCondition(t *testing.T) {
	status := &simkubev1.SimulationStatus{}
	for _, step := range []struct {
		at         int
		reason     string
		status     metav1.ConditionStatus
		transition int
	}{
		{0, "SecretMissing", metav1.ConditionFalse, 0},
		{10, "SecretMissing", metav1.ConditionFalse, 0},
		{20, "ClaimMissing", metav1.ConditionFalse, 20},
		{30, "ClaimMissing", metav1.ConditionTrue, 30},
	} {
		setCondition(status, metav1.Condition{Type: "Ready", Status: step.status, Reason: step.reason}, at(step.at))
		if got := status.Conditions; len(got) != 1 || got[0].Reason != step.reason || !got[0].LastTransitionTime.Time.Equal(at(step.transition)) {
			t.Errorf("after %d s: got %+v, want %+v", step.at, got, step)
		}
	}
	setCondition(status, metav1.Condition{Type: "Failed", Message: strings.Repeat("x", 2*maxMessage)}, at(0))
	if len(status.Conditions) != 2 || len(status.Conditions[1].Message) > maxMessage {
		t.Errorf("got %d conditions", len(status.Conditions))
	}
}

// Something that stays missing fails the simulation once its grace period is over.
func TestSession_Missing(t *testing.T) {
	clock := clocktesting.NewFakePassiveClock(at(0))
	s := &session{controller: &controller{opts: Options{Clock: clock}}, sim: &simkubev1.Simulation{Status: &simkubev1.SimulationStatus{}}}
	for _, step := range []struct {
		at     int
		reason string
		failed bool
	}{
		{0, "SecretMissing", false},
		{59, "SecretMissing", false},
		{60, "ClaimMissing", false}, // another reason has its own grace period
		{119, "ClaimMissing", false},
		{120, "ClaimMissing", true},
	} {
		clock.SetTime(at(step.at))
		err := s.missing(time.Minute, step.reason, "no %s", "x")
		var wait *waiting
		var failed *failure
		if errors.As(err, &failed) != step.failed || errors.As(err, &wait) == step.failed {
			t.Fatalf("after %d s: got %v", step.at, err)
		}
		if wait != nil {
			setCondition(s.sim.Status, metav1.Condition{Type: simkubev1.ConditionReady, Status: metav1.ConditionFalse, Reason: wait.reason}, clock.Now())
		}
	}
}

// Messages may hold what a driver or a program printed, so control characters are escaped.
func TestSetCondition_Escapes(t *testing.T) {
	status := &simkubev1.SimulationStatus{}
	setCondition(status, metav1.Condition{Type: simkubev1.ConditionFailed, Message: "said \x1b[31m\u202e\nand more"}, time.Now())
	if got, want := status.Conditions[0].Message, "said \\x1b[31m\\u202e\nand more"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
}
