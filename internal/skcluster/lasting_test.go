package skcluster

import (
	"context"
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func fakeClusters(t *testing.T, behaviour string) (Clusters, UpOptions) {
	t.Helper()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	t.Setenv(fakeEnv, behaviour)
	clusters := Clusters{Dir: filepath.Join(t.TempDir(), "clusters")}
	t.Cleanup(func() {
		all, err := clusters.List()
		if err != nil {
			t.Error(err)
		}
		for _, cluster := range all {
			if err := clusters.Down(context.Background(), cluster.Name); err != nil {
				t.Error(err)
			}
		}
	})
	return clusters, UpOptions{Path: self}
}

func TestClusters_UpDown(t *testing.T) {
	clusters, opts := fakeClusters(t, "serve")
	opts.Port, opts.Nodes, opts.NodeShape = 7000, "3", "cpu=4"
	up, already, err := clusters.Up(t.Context(), "one", opts)
	if err != nil || already {
		t.Fatalf("Up() = %v, %v", already, err)
	}
	if up.Status != StatusRunning || up.PID == 0 || processIdentity(up.PID) == "" {
		t.Errorf("cluster is %+v, want it running", up)
	}
	if want := "--port 7000 --nodes 3 --node-shape cpu=4"; up.Version != want {
		t.Errorf("sk-cluster was started with %q, want %q", up.Version, want)
	}
	again, already, err := clusters.Up(t.Context(), "one", opts)
	if err != nil || !already {
		t.Fatalf("second Up() = %v, %v, want that it runs already", already, err)
	}
	if diff := cmp.Diff(up, again); diff != "" {
		t.Errorf("the second Up changed the cluster (-first +second):\n%s", diff)
	}
	list, err := clusters.List()
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]Cluster{up}, list); diff != "" {
		t.Errorf("List() (-want +got):\n%s", diff)
	}
	if err := clusters.Down(t.Context(), "one"); err != nil {
		t.Fatal(err)
	}
	if processIdentity(up.PID) != "" {
		t.Error("the process runs on after Down")
	}
	if _, err := clusters.Get("one"); !errors.Is(err, ErrNoCluster) {
		t.Errorf("Get() after Down = %v, want ErrNoCluster", err)
	}
	if _, err := os.Stat(up.Dir); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("the folder is still there: %v", err)
	}
}

func TestClusters_Up_Crash(t *testing.T) {
	clusters, opts := fakeClusters(t, "crash")
	_, _, err := clusters.Up(t.Context(), "one", opts)
	var crash *CrashError
	if !errors.As(err, &crash) {
		t.Fatalf("error is %v, want a CrashError", err)
	}
	if !strings.Contains(err.Error(), "the port is taken") || crash.Status != "exit status 1" {
		t.Errorf("error is %q (%s), want the child's output", err, crash.Status)
	}
	if _, err := clusters.Get("one"); !errors.Is(err, ErrNoCluster) {
		t.Errorf("Get() = %v, want ErrNoCluster", err)
	}
}

func TestClusters_Up_Interrupted(t *testing.T) {
	clusters, opts := fakeClusters(t, "never ready")
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, _, err := clusters.Up(ctx, "one", opts); !errors.Is(err, context.Canceled) {
		t.Errorf("error is %v, want context.Canceled", err)
	}
	if list, err := clusters.List(); err != nil || len(list) != 0 {
		t.Errorf("List() = %v, %v, want none", list, err)
	}
}

// Another process may have the id of a cluster's process by the time it is stopped.
func TestClusters_Down_Stranger(t *testing.T) {
	clusters := Clusters{Dir: t.TempDir()}
	dir := filepath.Join(clusters.Dir, "one")
	if err := os.Mkdir(dir, 0o700); err != nil {
		t.Fatal(err)
	}
	data, err := json.Marshal(process{PID: os.Getpid(), Identity: "another time"})
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dir, processFile), data, 0o600); err != nil {
		t.Fatal(err)
	}
	cluster, err := clusters.Get("one")
	if err != nil || cluster.Status != StatusDead {
		t.Errorf("Get() = %v, %v, want it dead", cluster.Status, err)
	}
	// Ends this test's process if it is wrong.
	if err := clusters.Down(t.Context(), "one"); err != nil {
		t.Fatal(err)
	}
}

func TestCheckName(t *testing.T) {
	for _, name := range []string{"", "../x", "a/b", "-a", "A", strings.Repeat("a", 64)} {
		if CheckName(name) == nil {
			t.Errorf("%q is accepted", name)
		}
	}
	for _, name := range []string{"a", "my-cluster-2", strings.Repeat("a", 63)} {
		if err := CheckName(name); err != nil {
			t.Error(err)
		}
	}
}
