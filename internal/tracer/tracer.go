package tracer

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"golang.org/x/sync/errgroup"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/client-go/rest"
	"k8s.io/utils/clock"

	"simkube.io/simkube/internal/tracer/log"
	"simkube.io/simkube/internal/tracer/manifest"
	"simkube.io/simkube/internal/tracer/watch"
	"simkube.io/simkube/trace"
)

// DefaultOwnerCache is the default of Options.OwnerCache.
const DefaultOwnerCache = 100_000

// settleTime is how long pods wait at most for the kinds that may own them to be listed.
const settleTime = 30 * time.Second

// Options are the options of a tracer. Cluster and either Dir or Log.InMemory are required.
type Options struct {
	// Cluster is the configuration of a client of the API server.
	Cluster *rest.Config
	// Config is what to follow; [Tracer.Reconfigure] changes it later.
	Config *trace.Config
	// Dir is the directory of the event log.
	Dir string
	// Log are the options of the event log. OnDurable is called after that of the tracer.
	Log log.Options
	// Redactor replaces what must not be recorded in plain text. Nil means that everything is
	// recorded.
	Redactor *manifest.Redactor
	// NoExtension omits what is not part of the trace format: nodes, and the times of pods in
	// milliseconds.
	NoExtension bool
	// SpoolDir is the directory of the temporary files of exports; empty means the system's default.
	SpoolDir string
	// OwnerCache is the number of objects whose owners are cached. 0 means DefaultOwnerCache.
	OwnerCache int
	// Version is the version in the status.
	Version string
	// Clock is the clock of everything; nil means the real one.
	Clock clock.WithTicker
	// Registry is where the metrics are registered. Nil means a registry of the tracer's own.
	Registry *prometheus.Registry
	Logger   *slog.Logger
}

// Tracer records a cluster. Its methods are safe for concurrent use.
type Tracer struct {
	opts                   Options
	clock                  clock.WithTicker
	logger                 *slog.Logger
	log                    *log.Log
	owners                 *owners
	client, metadataClient *watch.Client
	redactor               *manifest.Redactor
	metrics                *Metrics
	lag                    *lagSample
	started                time.Time

	config atomic.Pointer[trace.Config]
	// changes has the configuration that Run has not applied yet.
	changes chan *trace.Config

	mu        sync.Mutex // guards the following
	followers map[schema.GroupVersionKind]*follower
	// holding is whether followers are being replaced; held is then the time until which the log is
	// complete, or 0 if that is not known.
	holding bool
	held    int64
	// began is whether something was followed before.
	began     bool
	configErr error
}

// Open opens the event log and returns a tracer, which records nothing until Run is called. It must
// be closed.
func Open(opts Options) (*Tracer, error) {
	if opts.Clock == nil {
		opts.Clock = clock.RealClock{}
	}
	if opts.Registry == nil {
		opts.Registry = prometheus.NewRegistry()
	}
	opts.OwnerCache = cmp.Or(opts.OwnerCache, DefaultOwnerCache)
	t := &Tracer{
		opts: opts, clock: opts.Clock, logger: opts.Logger, redactor: opts.Redactor,
		changes: make(chan *trace.Config, 1), followers: map[schema.GroupVersionKind]*follower{},
		started: opts.Clock.Now(), holding: true,
	}
	t.config.Store(opts.Config)
	var err error
	if t.metrics, err = NewMetrics(opts.Registry); err != nil {
		return nil, fmt.Errorf("register metrics: %w", err)
	}
	t.lag = &lagSample{clock: t.clock, lags: t.metrics.commits}
	getter, err := newClusterGetter(opts.Cluster)
	if err != nil {
		return nil, fmt.Errorf("make a client: %w", err)
	}
	if t.client, err = watch.NewClient(opts.Cluster, opts.Clock); err != nil {
		return nil, fmt.Errorf("make a client: %w", err)
	}
	t.metadataClient = t.client.MetadataOnly()
	t.owners = newOwners(opts.OwnerCache, getter, t.clock, t.metrics)

	logOptions := opts.Log
	logOptions.Clock, logOptions.Logger = opts.Clock, opts.Logger
	logOptions.CompleteUntil = t.completeUntil
	logOptions.OnDurable = func(upTo log.Seq) {
		t.lag.durable(upTo)
		if opts.Log.OnDurable != nil {
			opts.Log.OnDurable(upTo)
		}
	}
	if t.log, err = log.Open(opts.Dir, logOptions); err != nil {
		return nil, err // the error names the log
	}
	t.mu.Lock()
	t.held = t.log.CompleteAtOpen()
	t.mu.Unlock()
	if err := opts.Registry.Register(newLogCollector(t.log)); err != nil {
		return nil, errors.Join(fmt.Errorf("register metrics: %w", err), t.log.Close())
	}
	return t, nil
}

// Close makes everything durable and closes the event log. Run must have returned.
func (t *Tracer) Close() error { return t.log.Close() }

// Registry returns the registry of the tracer's metrics.
func (t *Tracer) Registry() *prometheus.Registry { return t.opts.Registry }

// Config returns the configuration that the tracer follows.
func (t *Tracer) Config() *trace.Config { return t.config.Load() }

// Reconfigure makes Run follow a configuration. It does not interrupt what is followed as before.
func (t *Tracer) Reconfigure(config *trace.Config) {
	for {
		select {
		case t.changes <- config:
			return
		case <-t.changes: // replace one that was not applied yet
		}
	}
}

// ConfigChanged is an argument for [ConfigFile.Follow]: it applies a configuration, or keeps the
// present one and reports the error.
func (t *Tracer) ConfigChanged(config *trace.Config, err error) {
	t.mu.Lock()
	t.configErr = err
	t.mu.Unlock()
	if err != nil {
		t.metrics.configReloads.WithLabelValues("invalid").Inc()
		t.logger.Error("the new configuration is not used", "error", err)
		return
	}
	t.metrics.configReloads.WithLabelValues("success").Inc()
	t.logger.Info("configuration changed")
	t.Reconfigure(config)
}

// Run records until ctx ends, which is not an error, or the event log fails.
func (t *Tracer) Run(ctx context.Context) error {
	group, ctx := errgroup.WithContext(ctx)
	stop := func() {
		for _, f := range t.running() {
			f.stop()
		}
	}
	group.Go(func() error {
		defer stop()
		config := t.Config()
		for {
			if err := t.follow(ctx, group, config); err != nil {
				return err
			}
			select {
			case <-ctx.Done():
				return nil
			case config = <-t.changes:
			}
		}
	})
	err := group.Wait()
	if errors.Is(err, context.Canceled) {
		return nil
	}
	return err
}

// follow starts and stops followers according to a configuration.
func (t *Tracer) follow(ctx context.Context, group *errgroup.Group, config *trace.Config) error {
	t.hold()
	begin := t.beginnings()
	planned := plan(config, !t.opts.NoExtension)
	for _, f := range t.running() {
		if next, ok := planned[f.kind.gvk]; !ok || !f.kind.equal(next) {
			f.stop()
			t.remove(f)
		}
	}
	t.owners.track(config)
	t.config.Store(config)
	known, err := t.known(ctx, config)
	if err != nil {
		return err
	}
	var started []*follower
	for _, gvk := range slices.SortedFunc(maps.Keys(planned), compareKinds) {
		if t.follower(gvk) != nil {
			continue
		}
		f, err := t.newFollower(ctx, planned[gvk], config, known[gvk], begin(gvk))
		if err != nil {
			return fmt.Errorf("follow %s: %w", trace.FormatGVK(gvk), err)
		}
		started = append(started, f)
	}
	t.add(started)
	t.release()
	for _, f := range started {
		group.Go(f.run)
	}
	return nil
}

func compareKinds(a, b schema.GroupVersionKind) int {
	return cmp.Compare(trace.FormatGVK(a), trace.FormatGVK(b))
}

// known returns what is known of the objects of the kinds that are going to be followed, by kind
// and name. It records objects of kinds that are no longer followed as forgotten.
func (t *Tracer) known(ctx context.Context, config *trace.Config) (map[schema.GroupVersionKind]map[string]known, error) {
	all := map[schema.GroupVersionKind]map[string]known{}
	var forgotten []log.Entry
	for record, err := range t.log.Objects() {
		if err != nil {
			return nil, fmt.Errorf("read the event log: %w", err)
		}
		gvk := record.Key.GVK
		if _, tracked := config.TrackedObjects[gvk]; !tracked {
			forgotten = append(forgotten, &log.Change{Op: log.Forgotten, Key: record.Key, UID: record.UID})
			continue
		}
		if t.follower(gvk) != nil {
			continue // the follower has this information
		}
		if all[gvk] == nil {
			all[gvk] = map[string]known{}
		}
		all[gvk][record.Key.Name] = known{hash: record.Hash, uid: uidHash(record.UID), trust: fromLog}
	}
	for batch := range slices.Chunk(forgotten, 1000) {
		if err := t.append(ctx, batch...); err != nil {
			return nil, err
		}
	}
	return all, nil
}

// ancestors returns the tracked objects that own an object. If an owner could not be looked up, a
// warning is logged, the owner is skipped, and sure is false.
func (t *Tracer) ancestors(ctx context.Context, namespace string, refs []manifest.OwnerReference) (found []log.Key, sure bool, err error) {
	found, err = t.owners.ancestors(ctx, namespace, refs)
	var failed *ownerError
	if !errors.As(err, &failed) {
		return found, err == nil, err
	}
	if !failed.Repeated {
		t.logger.WarnContext(ctx, "owner lookup failed", "owner", failed.Owner, "error", failed.Err)
	}
	return found, false, nil
}

// append adds entries to the log.
func (t *Tracer) append(ctx context.Context, entries ...log.Entry) error {
	arrived := t.clock.Now()
	seq, err := t.log.Append(ctx, entries...)
	if err != nil {
		return fmt.Errorf("record: %w", err)
	}
	t.lag.take(seq, arrived)
	return nil
}

func (t *Tracer) running() []*follower {
	t.mu.Lock()
	defer t.mu.Unlock()
	return slices.SortedFunc(maps.Values(t.followers), func(a, b *follower) int { return compareKinds(a.kind.gvk, b.kind.gvk) })
}

func (t *Tracer) follower(gvk schema.GroupVersionKind) *follower {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.followers[gvk]
}

func (t *Tracer) add(fs []*follower) {
	t.mu.Lock()
	defer t.mu.Unlock()
	for _, f := range fs {
		t.followers[f.kind.gvk] = f
	}
}

func (t *Tracer) remove(f *follower) {
	t.mu.Lock()
	defer t.mu.Unlock()
	delete(t.followers, f.kind.gvk)
}
