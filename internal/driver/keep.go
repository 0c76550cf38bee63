package driver

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"

	simkubev1 "simkube.io/simkube/api/v1"
	"simkube.io/simkube/internal/results"
	"simkube.io/simkube/storage"
)

// summaryFile is the file of a results folder that a ConfigMap gets: the rest would not fit.
const summaryFile = "summary.json"

// mostSummary is how large a summary may be that a ConfigMap gets whole.
const mostSummary = 64 << 10

// checkResults fails a simulation whose results can be kept nowhere, before hours are spent on
// them.
func checkResults(wanted *simkubev1.SimulationResults) error {
	if wanted == nil || wanted.URL == "" {
		return nil
	}
	if _, err := storage.Parse(resultsFolder(wanted, runName(1)) + "/" + summaryFile); err != nil {
		return fail(ReasonInvalidSimulation, "invalid spec.results.url: %w", err)
	}
	return nil
}

// resultsFolder is the URL of the folder of a repetition.
func resultsFolder(wanted *simkubev1.SimulationResults, run string) string {
	return strings.TrimSuffix(wanted.URL, "/") + "/" + run
}

// keep takes the results of a repetition to where the Simulation wants them, and says where that is.
func (d *driver) keep(ctx context.Context, dir, run string) (where string, err error) {
	wanted := d.sim.Spec.Results
	switch {
	case wanted == nil:
		return "", nil
	case wanted.PersistentVolumeClaim != "":
		return "persistentVolumeClaim " + wanted.PersistentVolumeClaim + ", folder " + d.sim.Name + "/" + run, nil
	case wanted.ConfigMap != "":
		return "configMap " + d.opts.Namespace + "/" + wanted.ConfigMap + ", key " + run + ".json", d.keepSummary(ctx, dir, wanted.ConfigMap, run+".json")
	}
	where = resultsFolder(wanted, run)
	return where, d.upload(ctx, dir, where)
}

func (d *driver) keepSummary(ctx context.Context, dir, name, key string) error {
	summary, err := os.ReadFile(filepath.Join(dir, summaryFile))
	if err != nil {
		return fmt.Errorf("read the summary: %w", err)
	}
	if summary, err = short(summary, mostSummary); err != nil {
		return err
	}
	maps := d.client.CoreV1().ConfigMaps(d.opts.Namespace)
	object := &corev1.ConfigMap{ObjectMeta: metav1.ObjectMeta{Name: name}, Data: map[string]string{key: string(summary)}}
	_, err = maps.Create(ctx, object, metav1.CreateOptions{FieldManager: fieldManager})
	if apierrors.IsAlreadyExists(err) {
		patch, encodeErr := json.Marshal(map[string]any{"data": object.Data})
		if encodeErr != nil {
			return fmt.Errorf("encode the summary: %w", encodeErr)
		}
		_, err = maps.Patch(ctx, name, types.MergePatchType, patch, metav1.PatchOptions{FieldManager: fieldManager})
	}
	return err
}

// short gives a summary without its lists of all owners if it is larger than most: a ConfigMap holds those of all repetitions, and a MiB.
func short(summary []byte, most int) ([]byte, error) {
	if len(summary) <= most {
		return summary, nil
	}
	var s results.Summary
	if err := json.Unmarshal(summary, &s); err != nil {
		return nil, fmt.Errorf("read the summary: %w", err)
	}
	s.Outcome.ByOwner, s.Timing.PendingByOwner = []results.OwnerCounts{}, []results.OwnerWaits{}
	out, err := json.MarshalIndent(&s, "", "  ")
	if err != nil {
		return nil, fmt.Errorf("encode the summary: %w", err)
	}
	return out, nil
}

func (d *driver) upload(ctx context.Context, dir, to string) error {
	return filepath.WalkDir(dir, func(path string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() {
			return err
		}
		name, err := filepath.Rel(dir, path)
		if err != nil {
			return err
		}
		location, err := storage.Parse(to + "/" + filepath.ToSlash(name))
		if err != nil {
			return err
		}
		return d.uploadOne(ctx, path, location)
	})
}

func (d *driver) uploadOne(ctx context.Context, path string, to storage.Location) error {
	f, err := os.Open(path)
	if err != nil {
		return err
	}
	defer f.Close()
	w, err := d.storage.Create(ctx, to)
	if err != nil {
		return err
	}
	defer w.Close()
	if _, err := io.Copy(w, f); err != nil {
		return err
	}
	return w.Commit()
}
