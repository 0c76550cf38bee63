package karpenter

import (
	"reflect"
	"slices"
	"testing"

	"github.com/awslabs/operatorpkg/controller"
	"k8s.io/utils/clock"
	"sigs.k8s.io/controller-runtime/pkg/client/fake"
	"sigs.k8s.io/karpenter/pkg/controllers"
	"sigs.k8s.io/karpenter/pkg/controllers/disruption"
	"sigs.k8s.io/karpenter/pkg/controllers/nodeoverlay"
	"sigs.k8s.io/karpenter/pkg/controllers/state"
	"sigs.k8s.io/karpenter/pkg/operator/options"
)

// The controllers are those that Karpenter makes, with all features and with none; only the
// disruption controller is ours.
func TestControllers(t *testing.T) {
	t.Parallel()
	for _, gates := range []string{"", "NodeRepair=true,StaticCapacity=true,NodeOverlay=true,CapacityBuffer=true"} {
		set, err := settings(Options{FeatureGates: gates})
		if err != nil {
			t.Fatal(err)
		}
		ctx := options.ToContext(t.Context(), set)
		p := parts{clock: clock.RealClock{}, client: fake.NewClientBuilder().Build(), overlays: nodeoverlay.NewInstanceTypeStore()}
		decided := newDecisions(p.clock, nil)
		p.cloud = newProvider(Options{Types: testTypes()}, p.client, nil, nil, decided, newLogger(t.Output()))
		p.provider = p.cloud
		p.cluster = state.NewCluster(p.clock, p.client, p.provider)
		p.decisions = decided
		p.events = newRecorder(p.clock, newLogger(t.Output()), decided)
		got := names(p.controllers(ctx))
		want := names(controllers.NewControllers(ctx, nil, p.clock, p.client, p.events, p.provider, p.cloud, p.cluster, p.overlays))
		theirs, ours := name(&disruption.Controller{}), name(&disruptor{})
		for i := range want {
			if want[i] == theirs {
				want[i] = ours
			}
		}
		slices.Sort(want)
		if !slices.Equal(got, want) {
			t.Errorf("gates %q: controllers %q, want %q", gates, got, want)
		}
	}
}

// name returns the type of a controller, with the path of its package.
func name(c any) string {
	t := reflect.TypeOf(c).Elem()
	return t.PkgPath() + "." + t.Name()
}

func names(all []controller.Controller) []string {
	var out []string
	for _, c := range all {
		out = append(out, name(c))
	}
	slices.Sort(out)
	return out
}
