package replaytest

import (
	"context"
	"fmt"
	"testing"
	"time"

	"golang.org/x/sync/errgroup"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/rest"

	simkubev1 "simkube.io/simkube/api/v1"
	"simkube.io/simkube/internal/replay"
	"simkube.io/simkube/trace"
)

const (
	throughputObjects  = 5000
	throughputPerEvent = 10
	throughputSpaces   = 10
	// throughputParallel is the maximum number of concurrent requests of a replay, and of the bare
	// client.
	throughputParallel = 128
)

// BenchmarkReplayThroughput replays 5,000 ConfigMaps, ten per second of the trace, at speed 1000,
// which is faster than the API server. Right before and after, a bare client applies as many of the
// same objects to the same API server, with as many requests at once. It reports both rates, the
// client's as the mean of the two, and their ratio.
func BenchmarkReplayThroughput(b *testing.B) {
	for b.Loop() {
		before := applyBare(b, fmt.Sprintf("before%d", time.Now().UnixNano()))
		events := make([]trace.Event, 0, throughputObjects/throughputPerEvent)
		for second := range throughputObjects / throughputPerEvent {
			manifests := make([]string, 0, throughputPerEvent)
			for i := range throughputPerEvent {
				n := second*throughputPerEvent + i
				manifests = append(manifests, fmt.Sprintf("{apiVersion: v1, kind: ConfigMap, metadata: {name: config%d, namespace: ns%d}, data: {n: '%d'}}", n, n%throughputSpaces, n))
			}
			events = append(events, at(b, int64(second), manifests...))
		}
		s := newSim(b, replay.Options{Speed: 1000}, nil)
		began := time.Now()
		report := s.run(b, replay.Plan{}, events...)
		replayed := throughputObjects / time.Since(began).Seconds()
		if report.Applied != throughputObjects || len(report.Problems) > 0 {
			b.Fatalf("%d objects were applied, %d problems", report.Applied, len(report.Problems))
		}
		bare := 2 / (1/before + 1/applyBare(b, fmt.Sprintf("after%d", time.Now().UnixNano())))
		b.ReportMetric(replayed, "replayed/s")
		b.ReportMetric(bare, "bare/s")
		b.ReportMetric(replayed/bare, "ratio")
		b.ReportMetric(0, "ns/op")
	}
}

// applyBare applies the same objects, encoded beforehand, without reading the responses, and
// returns the rate.
func applyBare(b *testing.B, name string) float64 {
	b.Helper()
	client, err := kubernetes.NewForConfig(rest.CopyConfig(env.config))
	if err != nil {
		b.Fatal(err)
	}
	ctx := b.Context()
	var owner *corev1.Namespace
	for i := range throughputSpaces {
		namespace := &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: fmt.Sprintf("bare-%s-ns%d", name, i)}}
		if owner, err = client.CoreV1().Namespaces().Create(ctx, namespace, metav1.CreateOptions{}); err != nil {
			b.Fatal(err)
		}
		b.Cleanup(func() {
			if err := client.CoreV1().Namespaces().Delete(context.WithoutCancel(ctx), namespace.Name, metav1.DeleteOptions{}); err != nil {
				b.Error(err)
			}
		})
	}
	bodies := make([]string, throughputObjects)
	for n := range bodies {
		bodies[n] = fmt.Sprintf(`{"apiVersion":"v1","kind":"ConfigMap","metadata":{"name":"config%d","namespace":"bare-%s-ns%d","annotations":{},`+
			`"labels":{%q:"bare",%q:"true"},"ownerReferences":[{"apiVersion":"v1","kind":"Namespace","name":%q,"uid":%q}]},"data":{"n":"%d"}}`,
			n, name, n%throughputSpaces, simkubev1.LabelSimulation, simkubev1.LabelVirtual, owner.Name, owner.UID, n)
	}
	began := time.Now()
	var group errgroup.Group
	group.SetLimit(throughputParallel)
	for n, body := range bodies {
		group.Go(func() error {
			return client.CoreV1().RESTClient().Patch(types.ApplyPatchType).Namespace(fmt.Sprintf("bare-%s-ns%d", name, n%throughputSpaces)).
				Resource("configmaps").Name(fmt.Sprintf("config%d", n)).Param("fieldManager", simkubev1.FieldManager).Param("force", "true").
				Body([]byte(body)).Do(ctx).Error()
		})
	}
	if err := group.Wait(); err != nil {
		b.Fatal(err)
	}
	return throughputObjects / time.Since(began).Seconds()
}
