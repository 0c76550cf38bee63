package driver

import (
	"context"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/kubernetes/fake"
	"k8s.io/utils/clock"

	simkubev1 "simkube.io/simkube/api/v1"
	"simkube.io/simkube/internal/results"
	"simkube.io/simkube/internal/results/report"
	"simkube.io/simkube/internal/results/sample"
	"simkube.io/simkube/storage"
)

// keptDriver is a driver of a simulation of three repetitions, which keeps its results in a volume.
func keptDriver(t *testing.T, claims string, wanted *simkubev1.SimulationResults) *driver {
	t.Helper()
	client := storage.New(storage.Options{})
	t.Cleanup(client.Close)
	sim := &simkubev1.Simulation{ObjectMeta: metav1.ObjectMeta{Name: "sim"}}
	sim.Spec.Repetitions, sim.Spec.Results = new(int32(3)), wanted
	return &driver{
		opts: Options{ClaimDir: claims, Namespace: "simkube", Clock: clock.RealClock{}}, log: slog.New(slog.DiscardHandler),
		client: fake.NewClientset(), storage: client, sim: sim, traceName: "s3://bucket/trace", status: newStatus(nil, sim, slog.New(slog.DiscardHandler)),
	}
}

// endRepetition keeps a repetition as finished does, and returns where.
func (d *driver) endRepetition(t *testing.T, run int32) string {
	t.Helper()
	dir := d.opts.output(d.sim, d.runName(run))
	if !keepsFolder(d.sim) {
		dir = filepath.Join(t.TempDir(), d.runName(run))
	}
	small := sample.Small()
	if err := results.Write(dir, small, results.WriteOptions{Overwrite: true, Report: report.Render}); err != nil {
		t.Fatal(err)
	}
	where, err := d.keeper().keep(t.Context(), dir, d.runName(run))
	if err != nil {
		t.Fatal(err)
	}
	d.keepRepetitions(t.Context(), d.keeper(), run, &small.Summary, nil)
	d.status.change(func(s *simkubev1.DriverStatus) { s.Summaries = append(s.Summaries, simkubev1.RunSummary{Run: run}) })
	return where
}

// What a driver leaves is a folder as skctl simulate writes it, also after another driver has
// continued the work; and what was there before of another simulation is not taken for its own.
func TestKeepRepetitions(t *testing.T) {
	claims, url := t.TempDir(), t.TempDir()
	for name, tc := range map[string]struct {
		wanted *simkubev1.SimulationResults
		folder string
		where  string
	}{
		"volume": {
			&simkubev1.SimulationResults{PersistentVolumeClaim: "claim"}, filepath.Join(claims, "sim"),
			"persistentVolumeClaim claim, folder sim/run-01",
		},
		// A path stands for a bucket: package storage reads and writes both.
		"bucket": {&simkubev1.SimulationResults{URL: url + "/results/"}, url + "/results", url + "/results/run-01"},
	} {
		t.Run(name, func(t *testing.T) {
			for run := 1; run <= 3; run++ { // a bucket has no folders that are to be made first
				if err := os.MkdirAll(filepath.Join(tc.folder, results.RunFolder(run, 3)), 0o755); err != nil {
					t.Fatal(err)
				}
			}
			other := results.NewRepetitions("other", "", 2)
			text, err := results.EncodeRepetitions(other)
			if err != nil {
				t.Fatal(err)
			}
			if err := os.WriteFile(filepath.Join(tc.folder, results.RepetitionsFile), text, 0o600); err != nil {
				t.Fatal(err)
			}
			d := keptDriver(t, claims, tc.wanted)
			if where := d.endRepetition(t, 1); where != tc.where {
				t.Errorf("the results are said to be in %s, want %s", where, tc.where)
			}
			d.endRepetition(t, 2)
			next := keptDriver(t, claims, tc.wanted)
			next.status.now = d.status.get()
			next.endRepetition(t, 3)

			folder, err := results.Open(tc.folder)
			if err != nil {
				t.Fatal(err)
			}
			r := folder.Repetitions
			if len(folder.Runs) != 3 || r.Simulation != "sim" || r.Interrupted || r.Count(results.RunFinished) != 3 {
				t.Errorf("%d runs have results of %+v", len(folder.Runs), r)
			}
			if r.Versions["kubernetes"] == "" || r.Settings["nodes"] == "" || r.Trace.Path == "" {
				t.Errorf("versions %v, settings %v, trace %v", r.Versions, r.Settings, r.Trace)
			}
			index, err := os.ReadFile(filepath.Join(tc.folder, results.IndexFile))
			if err != nil {
				t.Fatal(err)
			}
			if n := strings.Count(string(index), `/report.html"`); n != 3 {
				t.Errorf("the index has links to %d reports, want 3", n)
			}
			if _, err := os.Stat(filepath.Join(tc.folder, "run-03", results.ReportFile)); err != nil {
				t.Error(err)
			}
		})
	}
}

// A ConfigMap gets what is small.
func TestKeepRepetitions_ConfigMap(t *testing.T) {
	d := keptDriver(t, "", &simkubev1.SimulationResults{ConfigMap: "kept"})
	if where := d.endRepetition(t, 1); where != "configMap simkube/kept, key run-01.json" {
		t.Errorf("the results are said to be in %s", where)
	}
	next := keptDriver(t, "", d.sim.Spec.Results)
	next.client, next.status.now = d.client, d.status.get()
	next.endRepetition(t, 2)
	kept, err := d.client.CoreV1().ConfigMaps("simkube").Get(t.Context(), "kept", metav1.GetOptions{})
	if err != nil {
		t.Fatal(err)
	}
	var keys []string
	for _, key := range []string{"run-01.json", "run-02.json", "run-03.json", results.RepetitionsFile, results.IndexFile} {
		if kept.Data[key] != "" {
			keys = append(keys, key)
		}
	}
	if diff := cmp.Diff([]string{"run-01.json", "run-02.json", results.RepetitionsFile}, keys); diff != "" {
		t.Errorf("keys (-want +got):\n%s", diff)
	}
	r, err := results.DecodeRepetitions([]byte(kept.Data[results.RepetitionsFile]))
	if err != nil {
		t.Fatal(err)
	}
	if r.Count(results.RunFinished) != 2 || r.Count(results.RunNotStarted) != 1 || r.Across[results.MeasurePods].Max != 9 {
		t.Errorf("described as %+v", r)
	}
}

// refusing keeps nothing but repetitions: its storage may not be read.
type refusing struct{ keeper }

func (refusing) read(context.Context, string) ([]byte, error) { return nil, storage.ErrPermission }

// A driver that may not read what it has written describes what it has replayed itself.
func TestKeepRepetitions_Unreadable(t *testing.T) {
	d := keptDriver(t, t.TempDir(), &simkubev1.SimulationResults{PersistentVolumeClaim: "claim"})
	if err := os.Mkdir(filepath.Join(d.opts.ClaimDir, "sim"), 0o755); err != nil {
		t.Fatal(err)
	}
	d.status.now.Summaries = []simkubev1.RunSummary{{Run: 1}}
	d.keepRepetitions(t.Context(), refusing{d.keeper()}, 2, &sample.Small().Summary, nil)
	r, err := results.ReadRepetitions(filepath.Join(d.opts.ClaimDir, "sim"))
	if err != nil {
		t.Fatal(err)
	}
	if r.Runs[0].Status != results.RunNotStarted || r.Runs[1].Status != results.RunFinished {
		t.Errorf("runs %+v", r.Runs)
	}
}
