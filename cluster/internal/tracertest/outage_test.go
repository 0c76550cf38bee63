package tracertest

import (
	"cmp"
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"sync"
	"testing"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"

	"simkube.io/simkube/cluster/internal/virtualtime"
	"simkube.io/simkube/trace"
)

const (
	// outagesVariable is the number of outages of each kind. With the number that CI uses they are
	// short.
	outagesVariable = "SIMKUBE_OUTAGES"
	defaultOutages  = "2"
	// brief is the duration of an outage in CI. Otherwise every fifth one has the duration of its
	// kind, and the others last a while.
	brief = 2 * time.Second
	while = 12 * time.Second
	// between is the time between outages: longer than the tracer takes to recover, and to be known to
	// have recovered.
	between = 8 * time.Second
	// recovery is the maximum time until a tracer has recovered from an outage: its backoff, and the
	// time until it notices.
	recovery = 2 * time.Minute
	// early is how much earlier than an outage a gap may begin: up to when data last arrived on a
	// silent connection.
	early = 75 * time.Second
)

// outages repeatedly disconnects a tracer under load.
type outages struct {
	t         *testing.T
	namespace string
	probe     probe
	notes     *notes
	proxy     *proxy
	config    string
	dir       string
	tracer    *exporter
	began     time.Time
	canaries  int
	// times are the intervals of the outages, from their beginning until everything was recorded
	// again.
	times []trace.Gap
}

// outageKind is a way of disconnecting a tracer.
type outageKind struct {
	name string
	long time.Duration
	// loses is whether changes during the outage may be lost.
	loses bool
	// play causes one outage.
	play func(o *outages, n int, lasts time.Duration)
}

var outageKinds = []outageKind{
	{"start", 20 * time.Second, true, (*outages).atTheStart},
	{"running", 110 * time.Second, false, (*outages).whileRunning},
	{"relist", while, true, (*outages).withRelist},
	{"kill", while, true, (*outages).withKill},
}

// TestOutages disconnects tracers from the API server in several ways, while objects of two kinds
// are written. Every write that was acknowledged outside of the gaps of an export must be in that
// export, at the end and during outages. Gaps must be where outages were, and nowhere else.
func TestOutages(t *testing.T) {
	if virtualtime.Enabled {
		t.Skip("other processes are cut off, on the wall clock: nobody outside sees virtual time")
	}
	if testing.Short() {
		t.Skip("takes long")
	}
	count, err := strconv.Atoi(cmp.Or(os.Getenv(outagesVariable), defaultOutages))
	if err != nil {
		t.Fatal(err)
	}
	// All at once, however few processors there are: they mostly wait.
	var group sync.WaitGroup
	for _, kind := range outageKinds {
		group.Go(func() { t.Run(kind.name, func(t *testing.T) { newOutages(t).run(kind, count) }) })
	}
	group.Wait()
}

// run causes a number of outages of a kind.
func (o *outages) run(kind outageKind, count int) {
	defer startWriters(o.t, o.notes, o.namespace, o.probe)()
	if kind.name != "start" {
		o.start(through)
		o.recover(time.Now())
	}
	for n := range count {
		if o.tracer != nil {
			o.sleep(between)
		}
		kind.play(o, n, kind.lasts(n))
	}
	o.finish(kind, count)
}

// lasts returns the duration of outage n.
func (k *outageKind) lasts(n int) time.Duration {
	switch {
	case os.Getenv(outagesVariable) == "":
		return brief
	case n%5 == 0:
		return k.long
	default:
		return while
	}
}

func newOutages(t *testing.T) *outages {
	t.Helper()
	o := &outages{t: t, namespace: newNamespace(t, "outage"), probe: newProbe(), notes: &notes{}, began: time.Now().Add(-time.Second)}
	installCRD(t, o.probe.crd())
	o.proxy = newProxy(t, through)
	o.config, o.dir = o.proxy.kubeconfig(t), filepath.Join(t.TempDir(), "log")
	return o
}

// start starts the tracer, with the proxy in a mode.
func (o *outages) start(mode passage) {
	o.proxy.set(mode)
	o.tracer = startExporter(o.t, o.config, o.dir, o.probe.kind)
}

// way returns how outage n is caused.
func way(n int) passage {
	if n%2 == 1 {
		return stalled
	}
	return refused
}

// recover waits until objects of both kinds that are written now are in an export: everything
// acknowledged before is recorded, or never will be. It records the outage since a time.
func (o *outages) recover(since time.Time) {
	o.t.Helper()
	o.canaries++
	prefix := fmt.Sprintf("canary-%d-", o.canaries)
	for _, s := range objectWriters(o.notes, o.namespace, o.probe, prefix) {
		eventually(o.t, "a canary to be written", func() bool { return s.put(o.t.Context(), "a", true) == nil })
	}
	path := filepath.Join(o.t.TempDir(), "recover.sktrace")
	deadline := time.Now().Add(recovery)
	for {
		o.tracer.export(o.t, o.began, path)
		tr, err := trace.ReadFile(path)
		if err != nil {
			o.t.Fatal(err)
		}
		exported := exportedWrites(o.t, tr)
		if len(exported["ConfigMap "+prefix+"a"]) > 0 && len(exported["Probe "+prefix+"a"]) > 0 {
			break
		}
		if time.Now().After(deadline) {
			o.t.Fatalf("what was written %s ago is in no export", recovery)
		}
		o.sleep(300 * time.Millisecond)
	}
	o.times = append(o.times, trace.Gap{From: since.UnixMilli(), To: time.Now().UnixMilli()})
}

// onTheWay is the maximum time between the acknowledgement of a write and its recording if there is
// no outage.
const onTheWay = 2 * time.Second

// check checks an export as of now.
func (o *outages) check(what string) result {
	o.t.Helper()
	path := filepath.Join(o.t.TempDir(), "check.sktrace")
	asked := time.Now()
	o.sleep(onTheWay)
	o.tracer.export(o.t, o.began, path)
	return checkExport(o.t, what, path, o.notes.until(asked))
}

func (o *outages) sleep(d time.Duration) {
	o.t.Helper()
	select {
	case <-time.After(d):
	case <-o.t.Context().Done():
		o.t.Fatal(context.Cause(o.t.Context()))
	}
}

// atTheStart starts a tracer that cannot reach the API server, with a log of its own or, every
// third time, that of the previous tracer.
func (o *outages) atTheStart(n int, lasts time.Duration) {
	since := time.Now()
	if o.tracer != nil {
		o.tracer.kill()
		if n%3 != 2 {
			o.dir, o.began = filepath.Join(o.t.TempDir(), "log"), time.Now()
			o.times = nil
		}
	}
	o.start(way(n))
	o.sleep(lasts)
	if n%4 == 0 {
		o.check("at the start, out of reach")
	}
	o.proxy.set(through)
	o.recover(since)
	o.check("at the start")
}

// whileRunning disconnects a tracer that is following all kinds.
func (o *outages) whileRunning(n int, lasts time.Duration) {
	since := time.Now()
	o.proxy.set(way(n))
	o.sleep(lasts)
	if lasts >= while || way(n) == refused {
		o.check("while running, out of reach")
	}
	o.proxy.set(through)
	o.recover(since)
}

// withRelist makes the API server drop the history of one of the kinds during the outage, by
// changing its definition.
func (o *outages) withRelist(n int, lasts time.Duration) {
	since := time.Now()
	o.proxy.set(refused)
	o.sleep(lasts / 2)
	name := o.probe.resource.Resource + "." + o.probe.resource.Group
	patch := fmt.Sprintf(`{"spec":{"names":{"shortNames":["pr%d"]}}}`, n)
	if _, err := env.dynamic.Resource(crdResource).Patch(o.t.Context(), name, types.MergePatchType, []byte(patch), metav1.PatchOptions{}); err != nil {
		o.t.Fatal(err)
	}
	o.sleep(lasts / 2)
	o.proxy.set(through)
	o.recover(since)
}

// withKill kills the tracer during the outage, and starts another one before the API server can be
// reached.
func (o *outages) withKill(n int, lasts time.Duration) {
	since := time.Now()
	o.proxy.set(way(n))
	o.sleep(lasts / 3)
	o.tracer.kill()
	o.sleep(lasts / 3)
	o.start(way(n))
	o.sleep(lasts / 3)
	if n%4 == 0 {
		o.check("killed, out of reach")
	}
	o.proxy.set(through)
	o.recover(since)
}

// settled checks an export that has no gap after the last outage: within a minute the API server
// confirms that the watches are up to date.
func (o *outages) settled(what string) result {
	o.t.Helper()
	over := time.UnixMilli(o.times[len(o.times)-1].To).Add(between)
	for {
		o.sleep(between)
		v := o.check(what)
		if len(v.within(over, time.Now())) == 0 {
			return v
		}
		if time.Since(over) > recovery {
			o.t.Fatalf("%s after the last outage, the gaps are %v", recovery, v.gaps)
		}
	}
}

// finish checks the last export.
func (o *outages) finish(kind outageKind, count int) {
	o.t.Helper()
	v := o.settled(kind.name)
	var total int64
	for _, g := range v.gaps {
		total += g.To - g.From
		// It ends when the last kind is listed, which need not be one that is written.
		begins, ends := false, false
		for _, outage := range o.times {
			begins = begins || g.From >= outage.From-early.Milliseconds() && g.From <= outage.To
			ends = ends || g.To >= outage.From && g.To <= outage.To+between.Milliseconds()
		}
		if !begins || !ends {
			o.t.Errorf("a gap from %d to %d, where no outage was: %v", g.From, g.To, o.times)
		}
	}
	if kind.loses && v.lost == 0 {
		o.t.Errorf("no write of %d was lost: nothing was tried", v.recorded)
	}
	if !kind.loses && os.Getenv(outagesVariable) == "" && len(v.within(time.UnixMilli(o.times[1].From), time.Now())) > 0 {
		o.t.Errorf("gaps %v, though the watches went on where they ended, from %d on", v.gaps, o.times[1].From)
	}
	o.t.Logf("%d outages: %d writes are recorded, %d lost in %d gaps of %.1f s together", count, v.recorded, v.lost, len(v.gaps), float64(total)/1000)
}
