package driver

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/apimachinery/pkg/util/wait"
	"k8s.io/client-go/dynamic"
	"k8s.io/utils/clock"

	simkubev1 "simkube.io/simkube/api/v1"
	"simkube.io/simkube/internal/printable"
	"simkube.io/simkube/internal/words"
)

const (
	// statusInterval is the minimum time between two writes of progress.
	statusInterval = time.Second
	// statusTries and statusWait bound the retries of a write that must succeed, to about 15 s and the
	// time of the requests.
	statusTries = 9
	statusWait  = 60 * time.Millisecond
	// maxEarlierMessage is how many bytes of a hook's message are kept when its repetition is over.
	maxEarlierMessage = 200
)

// status is status.driver of the Simulation. It is safe for concurrent use.
type status struct {
	client dynamic.Interface
	name   string
	uid    types.UID
	log    *slog.Logger
	due    chan struct{} // has room for one

	mu  sync.Mutex // guards now
	now simkubev1.DriverStatus
	// writing is held during a write, so that writes are in order.
	writing sync.Mutex
}

func newStatus(client dynamic.Interface, sim *simkubev1.Simulation, log *slog.Logger) *status {
	s := &status{client: client, name: sim.Name, uid: sim.UID, log: log, due: make(chan struct{}, 1)}
	if sim.Status != nil && sim.Status.Driver != nil {
		s.now = *sim.Status.Driver.DeepCopy()
	}
	return s
}

func (s *status) get() simkubev1.DriverStatus {
	s.mu.Lock()
	defer s.mu.Unlock()
	return *s.now.DeepCopy()
}

// change changes the status, which is written soon after.
func (s *status) change(f func(*simkubev1.DriverStatus)) {
	s.mu.Lock()
	f(&s.now)
	s.mu.Unlock()
	select {
	case s.due <- struct{}{}:
	default:
	}
}

// save changes the status and returns when it is written.
func (s *status) save(ctx context.Context, f func(*simkubev1.DriverStatus)) error {
	s.mu.Lock()
	f(&s.now)
	s.mu.Unlock()
	backoff := wait.Backoff{Duration: statusWait, Factor: 2, Steps: statusTries}
	var last error
	err := wait.ExponentialBackoffWithContext(ctx, backoff, func(ctx context.Context) (bool, error) {
		last = s.write(ctx)
		return last == nil, nil
	})
	if last != nil {
		return last
	}
	return err
}

// write writes status.driver, and nothing else. The patch fails if the Simulation is another one by
// now.
func (s *status) write(ctx context.Context) error {
	s.writing.Lock()
	defer s.writing.Unlock()
	now := s.get()
	now.Message = printable.Text(now.Message)
	value, err := json.Marshal(&now)
	if err != nil {
		return fmt.Errorf("encode the status: %w", err)
	}
	type operation struct {
		Op    string          `json:"op"`
		Path  string          `json:"path"`
		Value json.RawMessage `json:"value"`
	}
	uid, err := json.Marshal(s.uid)
	if err != nil {
		return fmt.Errorf("encode the status: %w", err)
	}
	patch, err := json.Marshal([]operation{{"test", "/metadata/uid", uid}, {"add", "/status/driver", value}})
	if err != nil {
		return fmt.Errorf("encode the status: %w", err)
	}
	_, err = s.client.Resource(simulations()).Patch(ctx, s.name, types.JSONPatchType, patch, metav1.PatchOptions{FieldManager: fieldManager}, "status")
	if err != nil {
		return fmt.Errorf("write the simulation's status: %w", err)
	}
	return nil
}

// prepare creates the status if it does not exist. Usually the controller has created it.
func (s *status) prepare(ctx context.Context) error {
	patch := fmt.Appendf(nil, `{"metadata":{"uid":%q},"status":{"driver":{}}}`, s.uid)
	_, err := s.client.Resource(simulations()).Patch(ctx, s.name, types.MergePatchType, patch, metav1.PatchOptions{FieldManager: fieldManager}, "status")
	if err != nil {
		return fmt.Errorf("write the simulation's status: %w", err)
	}
	return nil
}

// run writes the status when it has changed, until ctx ends.
func (s *status) run(ctx context.Context, clk clock.WithTicker) {
	ticker := clk.NewTicker(statusInterval)
	defer ticker.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-s.due:
		}
		if err := s.write(ctx); err != nil && ctx.Err() == nil {
			s.log.WarnContext(ctx, "progress was not written", "error", err)
		}
		select {
		case <-ctx.Done():
			return
		case <-ticker.C():
		}
	}
}

// hookRecords stores the records of the hooks that the driver started.
type hookRecords struct{ status *status }

func (h hookRecords) Records() []simkubev1.HookRecord { return h.status.get().Hooks }

// Save writes the records. If it fails, the hook is not started, so the record must not be written
// later.
func (h hookRecords) Save(ctx context.Context, records []simkubev1.HookRecord) error {
	before := h.Records()
	if len(records) > 0 {
		clip(records, records[len(records)-1].Run)
	}
	err := h.status.save(ctx, func(s *simkubev1.DriverStatus) { s.Hooks = records })
	if err != nil {
		h.status.change(func(s *simkubev1.DriverStatus) { s.Hooks = before })
	}
	return err
}

// clip shortens the messages of hooks of earlier repetitions: those of a thousand repetitions must
// fit into an object.
func clip(records []simkubev1.HookRecord, run int32) {
	for i := range records {
		if r := &records[i]; r.Run < run {
			r.Message = words.ClipBytes(r.Message, maxEarlierMessage)
		}
	}
}

// note sets the failure in a status, if err is a Failure. The driver has ended when the phase says
// so.
func note(s *simkubev1.DriverStatus, err error) {
	var failed *Failure
	if errors.As(err, &failed) {
		s.Reason, s.Message = failed.Reason, failed.Err.Error()
	}
}
