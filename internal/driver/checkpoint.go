package driver

import (
	"bytes"
	"compress/gzip"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"maps"
	"sync"
	"time"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/apimachinery/pkg/util/validation"
	"k8s.io/client-go/kubernetes"
	"k8s.io/utils/clock"

	"simkube.io/simkube/internal/simulation"
)

const (
	// checkpointInterval is the minimum time between two checkpoints. What was done since the last one
	// is repeated by the next driver, which is safe because it applies the same objects.
	checkpointInterval = time.Second
	checkpointKey      = "checkpoint.json.gz"
	// maxCheckpoint bounds the unpacked size. A ConfigMap holds one MiB.
	maxCheckpoint = 64 << 20
	// maxPacked bounds the packed size. It is a little less than a ConfigMap can hold.
	maxPacked    = 1_000_000
	fieldManager = "sk-driver"
)

// saved is the content of the ConfigMap.
type saved struct {
	// Simulation distinguishes a simulation from an earlier one of the same name.
	Simulation types.UID             `json:"simulation"`
	Run        int32                 `json:"run"`
	Checkpoint simulation.Checkpoint `json:"checkpoint"`
}

// checkpoints saves the checkpoints of the current repetition.
type checkpoints struct {
	client    kubernetes.Interface
	namespace string
	name      string
	owner     *metav1.OwnerReference
	labels    map[string]string
	uid       types.UID
	log       *slog.Logger
	due       chan struct{} // has room for one

	mu   sync.Mutex // guards the rest
	run  int32
	take func() simulation.Checkpoint
	// writing is held during a write, so that writes are in order.
	writing sync.Mutex
	large   sync.Once
}

// load returns the saved checkpoint, and nil if there is none.
func (c *checkpoints) load(ctx context.Context) (*saved, error) {
	found, err := c.client.CoreV1().ConfigMaps(c.namespace).Get(ctx, c.name, metav1.GetOptions{})
	switch {
	case apierrors.IsNotFound(err):
		return nil, nil //nolint:nilnil // there being none is not an error
	case err != nil:
		return nil, fmt.Errorf("get the checkpoint: %w", err)
	}
	var s saved
	if err := unpack(found.BinaryData[checkpointKey], &s); err != nil {
		c.log.WarnContext(ctx, "the checkpoint cannot be read and is disregarded", "configmap", c.name, "error", err)
		return nil, nil //nolint:nilnil // as above
	}
	if wrong := validation.IsDNS1123Subdomain(s.Checkpoint.Root.Name); len(wrong) > 0 {
		c.log.WarnContext(ctx, "the checkpoint names no root and is disregarded", "configmap", c.name, "root", s.Checkpoint.Root.Name)
		return nil, nil //nolint:nilnil // as above
	}
	if s.Simulation != c.uid {
		return nil, nil //nolint:nilnil // an earlier simulation of the name
	}
	return &s, nil
}

// begin sets to which repetition the following checkpoints belong.
func (c *checkpoints) begin(run int32) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.run, c.take = run, nil
}

// changed implements simulation.Options.OnCheckpoint.
func (c *checkpoints) changed(take func() simulation.Checkpoint) {
	c.mu.Lock()
	c.take = take
	c.mu.Unlock()
	c.wake()
}

func (c *checkpoints) wake() {
	select {
	case c.due <- struct{}{}:
	default:
	}
}

// last returns the latest checkpoint, and false before there is one.
func (c *checkpoints) last() (simulation.Checkpoint, bool) {
	c.mu.Lock()
	take := c.take
	c.mu.Unlock()
	if take == nil {
		return simulation.Checkpoint{}, false
	}
	return take(), true
}

func (c *checkpoints) write(ctx context.Context) error {
	c.writing.Lock()
	defer c.writing.Unlock()
	at, ok := c.last()
	if !ok {
		return nil
	}
	c.mu.Lock()
	run := c.run
	c.mu.Unlock()
	packed, err := c.fit(saved{Simulation: c.uid, Run: run, Checkpoint: at}, maxPacked)
	if err != nil {
		return err
	}
	object := corev1.ConfigMap{
		TypeMeta:   metav1.TypeMeta{APIVersion: "v1", Kind: "ConfigMap"},
		ObjectMeta: metav1.ObjectMeta{Name: c.name, Namespace: c.namespace, Labels: c.labels},
		BinaryData: map[string][]byte{checkpointKey: packed},
	}
	if c.owner != nil {
		object.OwnerReferences = []metav1.OwnerReference{*c.owner}
	}
	body, err := json.Marshal(&object)
	if err != nil {
		return fmt.Errorf("encode the checkpoint: %w", err)
	}
	opts := metav1.PatchOptions{FieldManager: fieldManager, Force: new(true)}
	if _, err := c.client.CoreV1().ConfigMaps(c.namespace).Patch(ctx, c.name, types.ApplyPatchType, body, opts); err != nil {
		return fmt.Errorf("write the checkpoint: %w", err)
	}
	return nil
}

// fit packs a checkpoint in at most limit bytes. If necessary, it omits the numbers of pods: first
// of the owners that have had a single pod, whose next number the existing pods show, then all.
// Everything else is always kept.
func (c *checkpoints) fit(s saved, limit int) ([]byte, error) {
	packed, err := pack(s)
	if err != nil || len(packed) <= limit {
		return packed, err
	}
	c.large.Do(func() {
		c.log.Warn("too many owners of pods for a checkpoint: the next driver may reuse numbers of pods", "owners", len(s.Checkpoint.Numbers))
	})
	s.Checkpoint.Numbers = maps.Clone(s.Checkpoint.Numbers)
	maps.DeleteFunc(s.Checkpoint.Numbers, func(_ string, pods int) bool { return pods <= 1 })
	if packed, err = pack(s); err != nil || len(packed) <= limit {
		return packed, err
	}
	s.Checkpoint.Numbers = nil
	return pack(s)
}

// follow writes checkpoints when they change, until ctx ends.
func (c *checkpoints) follow(ctx context.Context, clk clock.WithTicker) {
	ticker := clk.NewTicker(checkpointInterval)
	defer ticker.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-c.due:
		}
		if err := c.write(ctx); err != nil && ctx.Err() == nil {
			c.log.WarnContext(ctx, "a driver that takes over would do work again", "error", err)
			c.wake() // the next change may be hours away
		}
		select {
		case <-ctx.Done():
			return
		case <-ticker.C():
		}
	}
}

// pack compresses a checkpoint: the numbers of ten thousands of owners do not fit into a ConfigMap
// otherwise.
func pack(s saved) ([]byte, error) {
	var packed bytes.Buffer
	w := gzip.NewWriter(&packed)
	if err := json.NewEncoder(w).Encode(&s); err != nil {
		return nil, fmt.Errorf("encode the checkpoint: %w", err)
	}
	if err := w.Close(); err != nil {
		return nil, fmt.Errorf("pack the checkpoint: %w", err)
	}
	return packed.Bytes(), nil
}

func unpack(packed []byte, s *saved) error {
	r, err := gzip.NewReader(bytes.NewReader(packed))
	if err != nil {
		return fmt.Errorf("unpack: %w", err)
	}
	if err := json.NewDecoder(io.LimitReader(r, maxCheckpoint)).Decode(s); err != nil {
		return fmt.Errorf("decode: %w", err)
	}
	return nil
}
