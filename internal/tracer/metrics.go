package tracer

import (
	"github.com/prometheus/client_golang/prometheus"
	"k8s.io/apimachinery/pkg/runtime/schema"

	"simkube.io/simkube/internal/tracer/log"
	"simkube.io/simkube/internal/tracer/watch"
	"simkube.io/simkube/trace"
)

// Results of looking up an object's owner.
const (
	lookupHit     = "remembered"
	lookupGot     = "asked"
	lookupMissing = "missing"
	lookupRefused = "refused"
	lookupFailed  = "failed"
)

// Metrics are the metrics of a tracer. Their names begin with simkube_tracer_.
type Metrics struct {
	events         *prometheus.CounterVec
	bytes          *prometheus.CounterVec
	invalid        *prometheus.CounterVec
	gaps           *prometheus.CounterVec
	ownerLookups   *prometheus.CounterVec
	watchLists     *prometheus.CounterVec
	watches        *prometheus.CounterVec
	watchRestarts  *prometheus.CounterVec
	watchEvents    *prometheus.CounterVec
	watchBytes     *prometheus.CounterVec
	state          *prometheus.GaugeVec
	commits        prometheus.Histogram
	exports        *prometheus.CounterVec
	exportDuration prometheus.Histogram
	exportBytes    prometheus.Counter
	configReloads  *prometheus.CounterVec
}

const namespace = "simkube_tracer"

// NewMetrics returns metrics that are registered with registry.
func NewMetrics(registry prometheus.Registerer) (*Metrics, error) {
	counter := func(name, help string, labels ...string) *prometheus.CounterVec {
		return prometheus.NewCounterVec(prometheus.CounterOpts{Namespace: namespace, Name: name, Help: help}, labels)
	}
	m := &Metrics{
		events:        counter("events_total", "Changes of tracked objects that were recorded.", "kind", "op"),
		bytes:         counter("recorded_bytes_total", "Bytes of the manifests that were recorded, before compression.", "kind"),
		invalid:       counter("invalid_objects_total", "Objects that could not be read, and were not recorded.", "kind"),
		gaps:          counter("gaps_total", "Intervals in which changes may be missing in the event log.", "kind"),
		ownerLookups:  counter("owner_lookups_total", "Lookups of an object's owner, by result.", "result"),
		watchLists:    counter("lists_total", "Complete lists of a kind, streamed or in pages.", "kind", "mode"),
		watches:       counter("watches_total", "Watches that were opened.", "kind"),
		watchRestarts: counter("watch_restarts_total", "Watches that ended and were opened again.", "kind", "reason"),
		watchEvents:   counter("watch_events_total", "Objects received from the API server, changed or not.", "kind"),
		watchBytes:    counter("watch_bytes_total", "Bytes of the objects received from the API server.", "kind"),
		state: prometheus.NewGaugeVec(prometheus.GaugeOpts{
			Namespace: namespace, Name: "kind_state", Help: "1 for the state that the watch of a kind is in.",
		}, []string{"kind", "state"}),
		commits: prometheus.NewHistogram(prometheus.HistogramOpts{
			Namespace: namespace, Name: "record_lag_seconds", Help: "Time from an event's arrival until it was durable.",
			Buckets: []float64{.001, .0025, .005, .01, .025, .05, .1, .25, .5, 1, 2.5, 5, 10},
		}),
		exports: counter("exports_total", "Exports that ended.", "result"),
		exportDuration: prometheus.NewHistogram(prometheus.HistogramOpts{
			Namespace: namespace, Name: "export_duration_seconds", Help: "Time that an export took.",
			Buckets: []float64{.1, .25, .5, 1, 2.5, 5, 10, 30, 60, 120, 300, 600},
		}),
		exportBytes: prometheus.NewCounter(prometheus.CounterOpts{
			Namespace: namespace, Name: "export_bytes_total", Help: "Bytes of traces that were exported.",
		}),
		configReloads: counter("config_reloads_total", "Times the configuration file had changed.", "result"),
	}
	for _, c := range []prometheus.Collector{
		m.events, m.bytes, m.invalid, m.gaps, m.ownerLookups, m.watchLists, m.watches, m.watchRestarts, m.watchEvents, m.watchBytes,
		m.state, m.commits, m.exports, m.exportDuration, m.exportBytes, m.configReloads,
	} {
		if err := registry.Register(c); err != nil {
			return nil, err
		}
	}
	return m, nil
}

// ofKind returns the metrics of the objects of one kind.
func (m *Metrics) ofKind(gvk schema.GroupVersionKind) kindMetrics {
	kind := trace.FormatGVK(gvk)
	return kindMetrics{
		applied:   m.events.WithLabelValues(kind, "applied"),
		deleted:   m.events.WithLabelValues(kind, "deleted"),
		forgotten: m.events.WithLabelValues(kind, "forgotten"),
		bytes:     m.bytes.WithLabelValues(kind),
		invalid:   m.invalid.WithLabelValues(kind),
	}
}

// kindMetrics are the metrics of the objects of one kind.
type kindMetrics struct {
	applied, deleted, forgotten, bytes, invalid prometheus.Counter
}

func (m *kindMetrics) op(op log.Op) prometheus.Counter {
	switch op {
	case log.Applied:
		return m.applied
	case log.Deleted:
		return m.deleted
	default:
		return m.forgotten
	}
}

// ofWatch returns the metrics of the watch of one kind.
func (m *Metrics) ofWatch(gvk schema.GroupVersionKind) *watchMetrics {
	kind := trace.FormatGVK(gvk)
	w := &watchMetrics{
		m: m, kind: kind,
		events: m.watchEvents.WithLabelValues(kind), bytes: m.watchBytes.WithLabelValues(kind), watches: m.watches.WithLabelValues(kind),
	}
	w.StateChanged(watch.Starting)
	return w
}

// watchMetrics implements watch.Observer.
type watchMetrics struct {
	m                      *Metrics
	kind                   string
	events, bytes, watches prometheus.Counter
}

var _ watch.Observer = (*watchMetrics)(nil)

// StateChanged implements watch.Observer.
func (w *watchMetrics) StateChanged(state watch.State) {
	for _, s := range watch.States() {
		value := 0.0
		if s == state {
			value = 1
		}
		w.m.state.WithLabelValues(w.kind, string(s)).Set(value)
	}
}

// Listed implements watch.Observer.
func (w *watchMetrics) Listed(mode watch.Mode) {
	w.m.watchLists.WithLabelValues(w.kind, string(mode)).Inc()
}

// Watched implements watch.Observer.
func (w *watchMetrics) Watched() { w.watches.Inc() }

// Restarted implements watch.Observer.
func (w *watchMetrics) Restarted(reason watch.Reason) {
	w.m.watchRestarts.WithLabelValues(w.kind, string(reason)).Inc()
}

// Received implements watch.Observer.
func (w *watchMetrics) Received(bytes int) {
	w.events.Inc()
	w.bytes.Add(float64(bytes))
}

// logCollector collects the metrics of the event log.
type logCollector struct {
	log                          *log.Log
	size, events, oldest, newest *prometheus.Desc
}

func newLogCollector(l *log.Log) *logCollector {
	desc := func(name, help string) *prometheus.Desc {
		return prometheus.NewDesc(prometheus.BuildFQName(namespace, "log", name), help, nil, nil)
	}
	return &logCollector{
		log:    l,
		size:   desc("size_bytes", "Bytes of the event log on disk."),
		events: desc("events", "Changes in the event log."),
		oldest: desc("begin_timestamp_seconds", "Time that the event log reaches back to."),
		newest: desc("last_timestamp_seconds", "Time of the last entry of the event log."),
	}
}

// Describe implements prometheus.Collector.
func (c *logCollector) Describe(descs chan<- *prometheus.Desc) {
	for _, d := range []*prometheus.Desc{c.size, c.events, c.oldest, c.newest} {
		descs <- d
	}
}

// Collect implements prometheus.Collector.
func (c *logCollector) Collect(metrics chan<- prometheus.Metric) {
	stats := c.log.Stats()
	gauge := func(d *prometheus.Desc, v float64) {
		metrics <- prometheus.MustNewConstMetric(d, prometheus.GaugeValue, v)
	}
	gauge(c.size, float64(stats.Bytes))
	gauge(c.events, float64(stats.Events))
	gauge(c.oldest, float64(stats.Begin)/1000)
	gauge(c.newest, float64(stats.Last)/1000)
}
