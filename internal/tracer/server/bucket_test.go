package server

import (
	"errors"
	"fmt"
	"testing"

	"simkube.io/simkube/storage"
)

func TestLocationError(t *testing.T) {
	missing := &storage.Error{Op: "write", Kind: storage.ErrNotExist, Reason: "there is no such bucket"}
	denied := &storage.Error{Op: "write", Kind: storage.ErrPermission, Reason: "denied"}
	for name, tc := range map[string]struct {
		err  error
		want bool
	}{
		"none":    {nil, false},
		"missing": {fmt.Errorf("again: %w", missing), true},
		"denied":  {denied, false},
	} {
		got := locationError(tc.err)
		if errors.Is(got, ErrNoLocation) != tc.want || !errors.Is(got, tc.err) || tc.err != nil && got.Error() != tc.err.Error() {
			t.Errorf("%s: locationError(%v) = %v, want ErrNoLocation: %t", name, tc.err, got, tc.want)
		}
	}
}

// TestBuckets_SameURL checks that the allowed URL is the one written to: a URL that package storage
// parses differently is rejected.
func TestBuckets_SameURL(t *testing.T) {
	s := NewStorage(storage.New(storage.Options{}))
	for _, url := range []string{"az://c/x", "file:///tmp/x", "", "s3://b"} {
		if upload, err := s.Create(t.Context(), url); err == nil {
			t.Errorf("Create(%q) = %v, want an error", url, upload)
		}
	}
}
