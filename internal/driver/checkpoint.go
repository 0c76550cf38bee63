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
	// checkpointInterval is how often a checkpoint is written at most. What was done since is done again by a driver that takes
	// over, which applying can bear.
	checkpointInterval = time.Second
	checkpointKey      = "checkpoint.json.gz"
	// maxCheckpoint bounds what is unpacked of the MiB that a ConfigMap can hold.
	maxCheckpoint = 64 << 20
	// mostPacked is a little less than a ConfigMap can hold.
	mostPacked   = 1_000_000
	fieldManager = "sk-driver"
)

// saved is what the ConfigMap holds.
type saved struct {
	// Simulation tells a simulation from an earlier one of the same name.
	Simulation types.UID             `json:"simulation"`
	Run        int32                 `json:"run"`
	Checkpoint simulation.Checkpoint `json:"checkpoint"`
}

// checkpoints keeps how far the repetition under way is.
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
	// writing is held while a write is under way, so that none overtakes another.
	writing sync.Mutex
	large   sync.Once
}

// load gives the checkpoint of a repetition, and nil if there is none.
func (c *checkpoints) load(ctx context.Context) (*saved, error) {
	found, err := c.client.CoreV1().ConfigMaps(c.namespace).Get(ctx, c.name, metav1.GetOptions{})
	switch {
	case apierrors.IsNotFound(err):
		return nil, nil //nolint:nilnil // that there is none is no error
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
		return nil, nil //nolint:nilnil // that of an earlier simulation of the name
	}
	return &s, nil
}

// begin tells which repetition checkpoints are of from now on.
func (c *checkpoints) begin(run int32) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.run, c.take = run, nil
}

// changed is simulation.Options.OnCheckpoint.
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

// last gives the latest checkpoint, and false before there is one.
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
	packed, err := c.fit(saved{Simulation: c.uid, Run: run, Checkpoint: at}, mostPacked)
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

// fit packs a checkpoint so that it is no larger than most. Of the numbers of pods those go that are needed least: the owners that have had a single
// pod, of which the next is told by the living ones, and then all. How far the replay is, and how long it was paused, is always kept.
func (c *checkpoints) fit(s saved, most int) ([]byte, error) {
	packed, err := pack(s)
	if err != nil || len(packed) <= most {
		return packed, err
	}
	c.large.Do(func() {
		c.log.Warn("there are too many owners of pods for a checkpoint: a driver that takes over may give pods numbers that there were before", "owners", len(s.Checkpoint.Numbers))
	})
	s.Checkpoint.Numbers = maps.Clone(s.Checkpoint.Numbers)
	maps.DeleteFunc(s.Checkpoint.Numbers, func(_ string, pods int) bool { return pods <= 1 })
	if packed, err = pack(s); err != nil || len(packed) <= most {
		return packed, err
	}
	s.Checkpoint.Numbers = nil
	return pack(s)
}

// follow writes checkpoints as they come, until ctx ends.
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
			c.wake() // there may be nothing else for hours that would have it written
		}
		select {
		case <-ctx.Done():
			return
		case <-ticker.C():
		}
	}
}

// pack and unpack: the numbers of ten thousands of owners would not fit a ConfigMap as they are.
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
