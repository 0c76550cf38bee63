package driver

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
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
	typedcorev1 "k8s.io/client-go/kubernetes/typed/core/v1"

	simkubev1 "simkube.io/simkube/api/v1"
	"simkube.io/simkube/internal/results"
	"simkube.io/simkube/storage"
)

// maxSummary is how many bytes of a summary a ConfigMap gets with all lists in it.
const maxSummary = 64 << 10

// checkResults fails a simulation whose results cannot be kept anywhere, before hours are spent on
// them.
func checkResults(wanted *simkubev1.SimulationResults) error {
	if wanted == nil || wanted.URL == "" {
		return nil
	}
	if _, err := storage.Parse(join(wanted.URL, results.RunFolder(1, 1)+"/"+results.SummaryFile)); err != nil {
		return fail(ReasonInvalidSimulation, "invalid spec.results.url: %w", err)
	}
	return nil
}

// keeper keeps results where the Simulation wants them: a folder for each repetition, and files
// beside them.
type keeper interface {
	// keep keeps the results of a repetition, which are in dir, under a name, and returns where they
	// are then, for people.
	keep(ctx context.Context, dir, name string) (where string, err error)
	// read returns a file. See isNotExist for the error if there is none.
	read(ctx context.Context, name string) ([]byte, error)
	// write writes a file, in place of one that is there.
	write(ctx context.Context, name string, data []byte) error
}

// keeper returns what keeps the results; nil if they are not kept.
func (d *driver) keeper() keeper {
	wanted := d.sim.Spec.Results
	switch {
	case wanted == nil:
		return nil
	case wanted.PersistentVolumeClaim != "":
		return claimKeeper{
			folderKeeper: folderKeeper{storage: d.storage, folder: filepath.Join(d.opts.ClaimDir, d.sim.Name)},
			claim:        wanted.PersistentVolumeClaim, simulation: d.sim.Name,
		}
	case wanted.ConfigMap != "":
		return configMapKeeper{maps: d.client.CoreV1().ConfigMaps(d.opts.Namespace), namespace: d.opts.Namespace, name: wanted.ConfigMap}
	}
	return folderKeeper{storage: d.storage, folder: wanted.URL}
}

// folderKeeper keeps results in a folder of a storage.
type folderKeeper struct {
	storage *storage.Client
	// folder is its path or URL.
	folder string
}

// join returns the path or URL of something in a folder.
func join(folder, name string) string { return strings.TrimSuffix(folder, "/") + "/" + name }

func (k folderKeeper) keep(ctx context.Context, dir, name string) (string, error) {
	return join(k.folder, name), filepath.WalkDir(dir, func(path string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() {
			return err
		}
		file, err := filepath.Rel(dir, path)
		if err != nil {
			return err
		}
		f, err := os.Open(path)
		if err != nil {
			return err
		}
		defer f.Close()
		return k.upload(ctx, name+"/"+filepath.ToSlash(file), f)
	})
}

func (k folderKeeper) write(ctx context.Context, name string, data []byte) error {
	return k.upload(ctx, name, bytes.NewReader(data))
}

func (k folderKeeper) upload(ctx context.Context, name string, from io.Reader) error {
	location, err := storage.Parse(join(k.folder, name))
	if err != nil {
		return err
	}
	w, err := k.storage.Create(ctx, location)
	if err != nil {
		return err
	}
	defer w.Close()
	if _, err := io.Copy(w, from); err != nil {
		return err
	}
	return w.Commit()
}

func (k folderKeeper) read(ctx context.Context, name string) ([]byte, error) {
	location, err := storage.Parse(join(k.folder, name))
	if err != nil {
		return nil, err
	}
	r, err := k.storage.Open(ctx, location)
	if err != nil {
		return nil, err
	}
	data, err := io.ReadAll(r)
	if err := errors.Join(err, r.Close()); err != nil {
		return nil, err
	}
	return data, nil
}

// claimKeeper keeps results in a volume, where a repetition has written its folder itself.
type claimKeeper struct {
	folderKeeper
	claim, simulation string
}

func (k claimKeeper) keep(_ context.Context, _, name string) (string, error) {
	return "persistentVolumeClaim " + k.claim + ", folder " + k.simulation + "/" + name, nil
}

// configMapKeeper keeps the summaries of repetitions, and what describes all of them, in a
// ConfigMap. The rest would not fit.
type configMapKeeper struct {
	maps            typedcorev1.ConfigMapInterface
	namespace, name string
}

func (k configMapKeeper) keep(ctx context.Context, dir, name string) (string, error) {
	key := name + ".json"
	where := "configMap " + k.namespace + "/" + k.name + ", key " + key
	summary, err := os.ReadFile(filepath.Join(dir, results.SummaryFile))
	if err != nil {
		return where, fmt.Errorf("read the summary: %w", err)
	}
	if summary, err = shorten(summary, maxSummary); err != nil {
		return where, err
	}
	return where, k.write(ctx, key, summary)
}

func (k configMapKeeper) write(ctx context.Context, key string, data []byte) error {
	if key == results.IndexFile {
		return nil // its links would lead nowhere
	}
	object := &corev1.ConfigMap{ObjectMeta: metav1.ObjectMeta{Name: k.name}, Data: map[string]string{key: string(data)}}
	_, err := k.maps.Create(ctx, object, metav1.CreateOptions{FieldManager: fieldManager})
	if apierrors.IsAlreadyExists(err) {
		patch, encodeErr := json.Marshal(map[string]any{"data": object.Data})
		if encodeErr != nil {
			return fmt.Errorf("encode %s: %w", key, encodeErr)
		}
		_, err = k.maps.Patch(ctx, k.name, types.MergePatchType, patch, metav1.PatchOptions{FieldManager: fieldManager})
	}
	return err
}

func (k configMapKeeper) read(ctx context.Context, key string) ([]byte, error) {
	object, err := k.maps.Get(ctx, k.name, metav1.GetOptions{})
	if err != nil {
		return nil, err
	}
	text, ok := object.Data[key]
	if !ok {
		return nil, fmt.Errorf("configMap %s/%s, key %s: %w", k.namespace, k.name, key, fs.ErrNotExist)
	}
	return []byte(text), nil
}

// shorten returns a summary without its lists of all owners if it has more than so many bytes: a
// ConfigMap holds those of all repetitions, and at most a MiB.
func shorten(summary []byte, size int) ([]byte, error) {
	if len(summary) <= size {
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
