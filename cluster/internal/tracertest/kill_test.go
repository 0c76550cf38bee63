package tracertest

import (
	"bufio"
	"cmp"
	"context"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/client-go/tools/clientcmd"

	"simkube.io/simkube/cluster/internal/virtualtime"
	"simkube.io/simkube/internal/tracer"
	"simkube.io/simkube/internal/tracer/log"
	"simkube.io/simkube/trace"
)

const (
	// roleVariable makes this test binary run a tracer.
	roleVariable = "SIMKUBE_TRACERTEST_ROLE"
	// killsVariable is the number of times that the tracer is killed.
	killsVariable = "SIMKUBE_KILLS"
	defaultKills  = "20"
)

func mapsConfig() *trace.Config {
	return &trace.Config{TrackedObjects: map[schema.GroupVersionKind]trace.TrackedObject{
		configMapKind: {},
		podKind:       {TrackLifecycle: true},
	}}
}

var podKind = corev1.SchemeGroupVersion.WithKind("Pod")

// play runs in a child process: it records until it is killed, and prints what is durable.
func play(role string) int {
	kubeconfig, dir, _ := strings.Cut(role, "|")
	cluster, err := clientcmd.BuildConfigFromFlags("", kubeconfig)
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	out := bufio.NewWriter(os.Stdout)
	t, err := tracer.Open(tracer.Options{
		Cluster: cluster, Config: mapsConfig(), Dir: dir, Logger: slog.New(slog.NewTextHandler(os.Stderr, nil)),
		Log: log.Options{OnDurable: func(upTo log.Seq) {
			fmt.Fprintln(out, upTo)
			_ = out.Flush() // the reader exists as long as this process
		}},
	})
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	// The parent process kills this process, and closes its input when the test itself has ended.
	ctx, cancel := context.WithCancel(context.Background())
	go func() {
		_, _ = os.Stdin.Read(make([]byte, 1))
		cancel()
	}()
	if err := t.Run(ctx); err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	return 0
}

// TestKill repeatedly kills a tracer under load. Everything that it reported as durable must be in
// the log, nothing twice, each time that it was down must be in a gap, and in the end the log must
// have the state of the cluster.
func TestKill(t *testing.T) {
	if virtualtime.Enabled {
		t.Skip("another process is killed, on the wall clock: nobody outside sees virtual time")
	}
	if testing.Short() {
		t.Skip("takes long")
	}
	kills, err := strconv.Atoi(cmp.Or(os.Getenv(killsVariable), defaultKills))
	if err != nil {
		t.Fatal(err)
	}
	namespace := newNamespace(t, "kill")
	dir := filepath.Join(t.TempDir(), "log")
	stopLoad := load(t, namespace)
	var durable log.Seq
	var killed []time.Time
	for range kills {
		last, at := runAndKill(t, dir)
		durable, killed = max(durable, last), append(killed, at)
	}
	stopLoad()

	opened, err := log.Open(dir, log.Options{})
	if err != nil {
		t.Fatal(err)
	}
	seen, gaps := checkLog(t, opened, durable)
	for i, at := range killed {
		if !slices.ContainsFunc(gaps, func(g log.Gap) bool { return g.From <= at.UnixMilli() && g.To > at.UnixMilli() }) {
			t.Errorf("kill %d, at %d, is in no gap", i, at.UnixMilli())
		}
	}
	if err := opened.Close(); err != nil {
		t.Fatal(err)
	}
	compareWithCluster(t, namespace, dir)
	t.Logf("%d kills, all in one of %d gaps, %d changes, the last one durable %d", kills, len(gaps), seen, durable)
}

// runAndKill runs a tracer and kills it at a random time. It returns the last number that was
// reported as durable, and when the process had ended.
func runAndKill(t *testing.T, dir string) (last log.Seq, over time.Time) {
	t.Helper()
	cmd := exec.Command(os.Args[0])
	cmd.Env = append(os.Environ(), roleVariable+"="+env.plane.Kubeconfig()+"|"+dir)
	cmd.Stderr = t.Output()
	if _, err := cmd.StdinPipe(); err != nil {
		t.Fatal(err)
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	delay := time.Duration(rand.Int64N(int64(600 * time.Millisecond)))
	var kill *time.Timer
	lines := bufio.NewScanner(out)
	for lines.Scan() {
		seq, err := strconv.ParseUint(lines.Text(), 10, 64)
		if err != nil {
			t.Errorf("the tracer said %q", lines.Text())
		}
		last = log.Seq(seq)
		if kill == nil {
			// At any time after its first output.
			kill = time.AfterFunc(delay, func() { _ = cmd.Process.Kill() })
		}
	}
	_ = cmd.Wait() // the process was killed
	if kill == nil {
		t.Fatal("the tracer ended by itself")
	}
	kill.Stop()
	return last, time.Now()
}

// load keeps changing objects in a namespace until the function that it returns is called.
func load(t *testing.T, namespace string) (stop func()) {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	var workers sync.WaitGroup
	for worker := range 4 {
		workers.Go(func() {
			client := env.client.CoreV1().ConfigMaps(namespace)
			for i := 0; ctx.Err() == nil; i++ {
				name := fmt.Sprintf("map-%d-%d", worker, rand.IntN(50))
				object := &corev1.ConfigMap{ObjectMeta: metav1.ObjectMeta{Name: name}, Data: map[string]string{"n": strconv.Itoa(i)}}
				switch {
				case rand.IntN(4) == 0:
					_ = client.Delete(ctx, name, metav1.DeleteOptions{})
				default:
					if _, err := client.Update(ctx, object, metav1.UpdateOptions{}); err != nil {
						_, _ = client.Create(ctx, object, metav1.CreateOptions{})
					}
				}
			}
		})
	}
	return func() { cancel(); workers.Wait() }
}

// checkLog checks that the log has every number up to a durable one, each once.
func checkLog(t *testing.T, l *log.Log, durable log.Seq) (changes int, gaps []log.Gap) {
	t.Helper()
	snapshot, err := l.Snapshot()
	if err != nil {
		t.Fatal(err)
	}
	defer snapshot.Close()
	if err := snapshot.Check(t.Context()); err != nil {
		t.Errorf("the log is not whole: %v", err)
	}
	var last log.Seq
	type version struct {
		hash uint64
		op   log.Op
	}
	latest := map[log.Key]version{}
	for r, err := range snapshot.Changes(0, 1<<62) {
		if err != nil {
			t.Fatal(err)
		}
		if r.Seq <= last {
			t.Errorf("number %d comes after %d", r.Seq, last)
		}
		last = r.Seq
		if v := (version{r.Hash, r.Op}); latest[r.Key] == v {
			t.Errorf("%v: the same change is there twice in a row", r.Key)
		} else {
			latest[r.Key] = v
		}
		changes++
	}
	if stats := l.Stats(); stats.Appended < durable {
		t.Errorf("number %d was durable, and the log ends at %d", durable, stats.Appended)
	}
	for g, err := range snapshot.Gaps(0, 1<<62) {
		if err != nil {
			t.Fatal(err)
		}
		gaps = append(gaps, *g)
	}
	return changes, gaps
}

// compareWithCluster waits until a tracer is up to date, and compares its log with the cluster.
func compareWithCluster(t *testing.T, namespace, dir string) {
	t.Helper()
	r := record(t, mapsConfig(), func(o *tracer.Options) { o.Dir, o.Log = dir, log.Options{} })
	maps, err := env.client.CoreV1().ConfigMaps(namespace).List(t.Context(), metav1.ListOptions{})
	if err != nil {
		t.Fatal(err)
	}
	r.stop(t)
	opened, err := log.Open(dir, log.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer opened.Close()
	snapshot, err := opened.Snapshot()
	if err != nil {
		t.Fatal(err)
	}
	defer snapshot.Close()
	want := map[string]string{}
	for _, m := range maps.Items {
		want[namespace+"/"+m.Name] = m.Data["n"]
	}
	got := map[string]string{}
	for record, err := range snapshot.StateAt(1 << 62) {
		if err != nil {
			t.Fatal(err)
		}
		if ns, _ := trace.SplitNamespacedName(record.Key.Name); ns != namespace || record.Key.GVK != configMapKind {
			continue
		}
		object, err := trace.ParseObject(record.Object)
		if err != nil {
			t.Fatal(err)
		}
		u, err := object.Unstructured()
		if err != nil {
			t.Fatal(err)
		}
		got[record.Key.Name], _ = u.Object["data"].(map[string]any)["n"].(string)
	}
	if len(want) == 0 {
		t.Fatal("there is nothing in the cluster to compare with")
	}
	for name, n := range want {
		if got[name] != n {
			t.Errorf("%s: the log has %q, the cluster %q", name, got[name], n)
		}
	}
	for name := range got {
		if _, there := want[name]; !there {
			t.Errorf("%s is in the log, and not in the cluster", name)
		}
	}
}
