package test

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"simkube.io/simkube/internal/results"
)

// emptyPool removes empty nodes soon.
const emptyPool = `
apiVersion: karpenter.sh/v1
kind: NodePool
metadata: {name: general}
spec:
  disruption: {consolidationPolicy: WhenEmpty, consolidateAfter: 1s}
  template:
    spec:
      nodeClassRef: {group: simkube.io, kind: NodeClass, name: default}
      requirements: [{key: karpenter.sh/capacity-type, operator: In, values: [on-demand]}]
`

// The nodes of a trace begin as those of Karpenter: pods run there and none is made, they cost
// something from the start, and an empty one goes, but not before the start. One of a type that is
// not on the list stays.
func TestSimulate_RecordedNodesOfKarpenter(t *testing.T) {
	t.Parallel()
	var objects []string
	for name, kind := range map[string]string{"ip-1": "m-8", "ip-2": "m-8", "odd": "m99.huge"} {
		objects = append(objects, fmt.Sprintf(`{"apiVersion": "v1", "kind": "Node", "metadata": {"name": %q, "labels": {"kubernetes.io/arch": "amd64",
			"kubernetes.io/os": "linux", "node.kubernetes.io/instance-type": %q, "topology.kubernetes.io/zone": "zone-a"}},
			"status": {"allocatable": {"cpu": "8", "memory": "30Gi", "pods": "110"}}}`, name, kind))
	}
	objects = append(objects, `{"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": "web", "namespace": "shop"}, "spec": {"replicas": 1,
		"selector": {"matchLabels": {"app": "web"}}, "template": {"metadata": {"labels": {"app": "web"}}, "spec": {"nodeSelector": {"node.kubernetes.io/instance-type": "m-8"},
		"containers": [{"name": "c", "image": "i", "resources": {"requests": {"cpu": "7"}}}]}}}}`)
	text := fmt.Sprintf(`{"events": [{"ts": %d, "applied_objs": [%s], "deleted_objs": []}, {"ts": %d, "applied_objs": [], "deleted_objs": []}]}`,
		traceStart, strings.Join(objects, ","), traceStart+90)
	s := newSandbox(t)
	for name, content := range map[string]string{"t.json": text, "pools.yaml": emptyPool} {
		if err := os.WriteFile(filepath.Join(s.dir, name), []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	s.skctl("trace", "from-json", "t.json", "-o", "t.sktrace").check(t, done)
	r := s.skctl("simulate", "t.sktrace", "-o", "out", "--strict", "--autoscaler", "karpenter", "--nodepools", "pools.yaml", "--nodes", "recorded")
	r.check(t, done)
	wants(t, "standard error", r.stderr, "2 nodes handed over to node pool general", "not on the list (m99.huge): odd")
	run, err := results.Read(filepath.Join(s.dir, "out"))
	if err != nil {
		t.Fatal(err)
	}
	outcome := run.Summary.Outcome
	if outcome.Pods.Ran != 1 || outcome.Nodes.Made != 0 || outcome.Nodes.Deleted != 1 {
		t.Errorf("%d pods ran, %d nodes were made and %d removed; want 1, 0 and 1", outcome.Pods.Ran, outcome.Nodes.Made, outcome.Nodes.Deleted)
	}
	if cost := run.Summary.Timing.Cost; cost == nil || cost.Total <= 0 || cost.Total > 0.05 {
		t.Errorf("cost %+v, want that of two nodes for 90 seconds", cost)
	}
	for _, n := range run.Nodes {
		pool, priced := "general", true
		if n.Node == "odd" {
			pool, priced = "", false
		}
		if n.NodePool != pool || n.PricePerHour > 0 != priced || n.LaunchReason != "" {
			t.Errorf("node %s: pool %q, price %g, launched for %q", n.Node, n.NodePool, n.PricePerHour, n.LaunchReason)
		}
	}
	for _, d := range run.Decisions {
		if d.Decision == string(results.Launched) || d.Time.Before(run.Summary.Run.WindowStart) {
			t.Errorf("decision %+v, want none before the start and no launch", d)
		}
	}
}
