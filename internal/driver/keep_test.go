package driver

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"strings"
	"testing"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/runtime/schema"

	simkubev1 "simkube.io/simkube/api/v1"
	"simkube.io/simkube/internal/results"
	"simkube.io/simkube/storage"
)

// A summary that a ConfigMap may have no room for loses its lists of owners, and nothing else.
func TestShorten(t *testing.T) {
	var s results.Summary
	s.SchemaVersion, s.Outcome.Pods.Created, s.Timing.WaitReasons = 1, 7, []results.ReasonCount{{}}
	small, err := json.Marshal(&s)
	if err != nil {
		t.Fatal(err)
	}
	if got, err := shorten(small, len(small)); err != nil || string(got) != string(small) {
		t.Errorf("one that fits became %s, %v", got, err)
	}
	for range 3000 {
		s.Outcome.ByOwner = append(s.Outcome.ByOwner, results.OwnerCounts{})
		s.Timing.PendingByOwner = append(s.Timing.PendingByOwner, results.OwnerWaits{})
	}
	large, err := json.Marshal(&s)
	if err != nil {
		t.Fatal(err)
	}
	got, err := shorten(large, maxSummary)
	if err != nil {
		t.Fatal(err)
	}
	var back results.Summary
	if err := json.Unmarshal(got, &back); err != nil {
		t.Fatal(err)
	}
	if len(got) > maxSummary || back.Outcome.Pods.Created != 7 || len(back.Timing.WaitReasons) != 1 || len(back.Outcome.ByOwner)+len(back.Timing.PendingByOwner) > 0 {
		t.Errorf("of %d bytes %d are left: %.300s", len(large), len(got), got)
	}
}

func TestIsTransient(t *testing.T) {
	resource := schema.GroupResource{Resource: "configmaps"}
	for _, tc := range []struct {
		err  error
		want bool
	}{
		{errors.New("connection refused"), true},
		{fmt.Errorf("write: %w", storage.ErrUnavailable), true},
		{apierrors.NewTooManyRequests("busy", 1), true},
		{apierrors.NewInternalError(errors.New("etcd")), true},
		{fmt.Errorf("write: %w", storage.ErrPermission), false},
		{fmt.Errorf("write: %w", storage.ErrNotExist), false},
		{fs.ErrNotExist, false},
		{apierrors.NewForbidden(resource, "results", errors.New("no")), false},
		{apierrors.NewNotFound(resource, "results"), false},
		{fail(ReasonApplyFailed, "no"), false},
	} {
		if got := isTransient(tc.err); got != tc.want {
			t.Errorf("%v: got %v, want %v", tc.err, got, tc.want)
		}
	}
}

// What hooks of earlier repetitions have said is cut between characters; the records stay.
func TestClip(t *testing.T) {
	long := strings.Repeat("ä", 1000)
	records := []simkubev1.HookRecord{{Run: 1, Message: long}, {Run: 1, Message: "short"}, {Run: 2, Message: long}}
	clip(records, 2)
	clip(records, 2)
	if m := records[0].Message; len(m) > maxEarlierMessage || !strings.HasPrefix(m, "ää") || strings.ContainsRune(m, '\ufffd') {
		t.Errorf("the first is %q", m)
	}
	if records[1].Message != "short" || records[2].Message != long {
		t.Errorf("the others are %q and %d bytes", records[1].Message, len(records[2].Message))
	}
}
