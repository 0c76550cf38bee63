package karpenter

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"
)

// The environment of the process has no effect on Karpenter.
func TestSettings(t *testing.T) {
	t.Setenv("BATCH_MAX_DURATION", "1h")
	t.Setenv("FEATURE_GATES", "SpotToSpotConsolidation=true")
	got, err := settings(Options{FeatureGates: "NodeOverlay=true"})
	if err != nil {
		t.Fatal(err)
	}
	if g := got.FeatureGates; got.BatchMaxDuration != 10*time.Second || g.SpotToSpotConsolidation || !g.NodeOverlay || !g.ReservedCapacity {
		t.Errorf("got %+v", got)
	}
	if _, err := settings(Options{FeatureGates: "NodeOverlay"}); err == nil || !strings.Contains(err.Error(), `invalid feature gates "NodeOverlay": `) {
		t.Errorf("a gate without a value: got %v", err)
	}
}

// fakeManager is a manager that takes until start returns to start.
type fakeManager struct {
	elected chan struct{}
	start   func(ctx context.Context) error
}

func (m fakeManager) Elected() <-chan struct{} { return m.elected }

func (m fakeManager) Start(ctx context.Context) error {
	if err := m.start(ctx); err != nil {
		return err
	}
	close(m.elected)
	<-ctx.Done()
	return nil
}

// A manager is not told to stop before it has started.
func TestRunManager(t *testing.T) {
	t.Parallel()
	ended, end := context.WithCancel(t.Context())
	end()
	failed := errors.New("failed")
	for name, c := range map[string]struct {
		ctx  context.Context
		want error // of the start
	}{
		"stopped while it starts": {ended, nil},
		"a start that fails":      {t.Context(), failed},
		"both":                    {ended, failed},
	} {
		err := runManager(c.ctx, fakeManager{make(chan struct{}), func(ctx context.Context) error {
			if ctx.Err() != nil {
				t.Errorf("%s: told to stop while it starts", name)
			}
			return c.want
		}})
		if !errors.Is(err, c.want) {
			t.Errorf("%s: got %v, want %v", name, err, c.want)
		}
	}
}
