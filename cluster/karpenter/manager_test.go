package karpenter

import (
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
