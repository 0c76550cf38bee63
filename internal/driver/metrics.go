package driver

import (
	"errors"
	"net/http"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promhttp"

	"simkube.io/simkube/internal/replay"
	"simkube.io/simkube/internal/simulation"
)

// metricsTimeout bounds a request for metrics.
const (
	metricsTimeout = 10 * time.Second
)

// metrics are the metrics of the replay; those of the webhook are in package admission.
type metrics struct {
	registry *prometheus.Registry
	events   prometheus.Counter
	objects  *prometheus.CounterVec
	problems *prometheus.CounterVec
	lag      prometheus.Histogram
	total    prometheus.Gauge
	run      prometheus.Gauge
	paused   prometheus.Gauge
	traceNow prometheus.Gauge
	pods     *prometheus.GaugeVec
}

func newMetrics() (*metrics, error) {
	counter := func(name, help string) prometheus.CounterOpts { return prometheus.CounterOpts{Name: name, Help: help} }
	gauge := func(name, help string) prometheus.Gauge {
		return prometheus.NewGauge(prometheus.GaugeOpts{Name: name, Help: help})
	}
	m := &metrics{
		registry: prometheus.NewRegistry(),
		events:   prometheus.NewCounter(counter("simkube_driver_events_total", "Events of the trace that were replayed, over all repetitions.")),
		objects: prometheus.NewCounterVec(counter("simkube_driver_objects_total", "Objects that were applied or deleted."),
			[]string{"verb"}),
		problems: prometheus.NewCounterVec(counter("simkube_driver_problems_total", "Objects that could not be applied or deleted, by category."),
			[]string{"category"}),
		lag: prometheus.NewHistogram(prometheus.HistogramOpts{
			Name: "simkube_driver_event_lag_seconds", Help: "How late events were begun.",
			Buckets: []float64{.001, .0025, .005, .01, .025, .05, .1, .25, .5, 1, 2.5, 5, 10},
		}),
		total:    gauge("simkube_driver_events", "Events of the trace in one repetition."),
		run:      gauge("simkube_driver_run", "The repetition under way, from 1."),
		paused:   gauge("simkube_driver_paused", "1 while the simulation is paused."),
		traceNow: gauge("simkube_driver_trace_timestamp_seconds", "Where the replay is, in the trace's time since 1970."),
		pods: prometheus.NewGaugeVec(prometheus.GaugeOpts{Name: "simkube_driver_pods", Help: "Simulated pods by what they do."},
			[]string{"state"}),
	}
	err := errors.Join(m.registry.Register(m.events), m.registry.Register(m.objects), m.registry.Register(m.problems), m.registry.Register(m.lag),
		m.registry.Register(m.total), m.registry.Register(m.run), m.registry.Register(m.paused), m.registry.Register(m.traceNow), m.registry.Register(m.pods))
	return m, err
}

func (m *metrics) event(e replay.EventReport) {
	m.events.Inc()
	m.objects.WithLabelValues(string(replay.Apply)).Add(float64(e.Applied))
	m.objects.WithLabelValues(string(replay.Delete)).Add(float64(e.Deleted))
	for _, p := range e.Problems {
		m.problems.WithLabelValues(string(p.Category)).Inc()
	}
	m.lag.Observe(e.Lag.Seconds())
}

func (m *metrics) progress(p *simulation.Progress) {
	m.total.Set(float64(p.EventsTotal))
	if !p.TraceTime.IsZero() {
		m.traceNow.Set(float64(p.TraceTime.UnixMilli()) / 1000)
	}
	m.pods.WithLabelValues("pending").Set(float64(p.Counts.Pending))
	m.pods.WithLabelValues("starting").Set(float64(p.Counts.Starting))
	m.pods.WithLabelValues("running").Set(float64(p.Counts.Running))
}

func (m *metrics) server() *http.Server {
	mux := http.NewServeMux()
	mux.Handle("GET /metrics", promhttp.HandlerFor(m.registry, promhttp.HandlerOpts{}))
	return &http.Server{
		Handler: mux, ReadHeaderTimeout: metricsTimeout, ReadTimeout: metricsTimeout, WriteTimeout: metricsTimeout, IdleTimeout: time.Minute,
	}
}
