package controller

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"sigs.k8s.io/controller-runtime/pkg/client"

	simkubev1 "simkube.io/simkube/api/v1"
)

// metrics are SimKube's own metrics, beside those of controller-runtime.
type metrics struct {
	failures    *prometheus.CounterVec
	simulations *prometheus.Desc
	reader      client.Reader // cached
}

func newMetrics(reader client.Reader) *metrics {
	m := &metrics{
		failures: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "simkube_ctrl_step_failures_total",
			Help: "How often a step of a simulation ended with an error, by step.",
		}, []string{"step"}),
		simulations: prometheus.NewDesc("simkube_ctrl_simulations", "Simulations by state.", []string{"state"}, nil),
		reader:      reader,
	}
	// rate() and increase() miss the first failure of a series that does not exist before it.
	for _, step := range allSteps() {
		m.failures.WithLabelValues(step.name)
	}
	return m
}

// register registers the metrics in place of those of an earlier controller in the same process.
func (m *metrics) register(registerer prometheus.Registerer) error {
	for _, collector := range []prometheus.Collector{m.failures, m} {
		err := registerer.Register(collector)
		var already prometheus.AlreadyRegisteredError
		if errors.As(err, &already) {
			registerer.Unregister(already.ExistingCollector)
			err = registerer.Register(collector)
		}
		if err != nil {
			return fmt.Errorf("register metrics: %w", err)
		}
	}
	return nil
}

// Describe implements [prometheus.Collector].
func (m *metrics) Describe(to chan<- *prometheus.Desc) { to <- m.simulations }

// Collect implements [prometheus.Collector].
func (m *metrics) Collect(to chan<- prometheus.Metric) {
	ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
	defer cancel()
	counts := map[simkubev1.SimulationState]float64{
		simkubev1.SimulationBlocked: 0, simkubev1.SimulationInitializing: 0, simkubev1.SimulationRunning: 0, simkubev1.SimulationPaused: 0,
		simkubev1.SimulationRetrying: 0, simkubev1.SimulationFinished: 0, simkubev1.SimulationFailed: 0,
	}
	var all simkubev1.SimulationList
	if err := m.reader.List(ctx, &all); err != nil {
		return // the cache has not synced yet
	}
	for i := range all.Items {
		if s := state(&all.Items[i]); s != "" {
			counts[s]++
		}
	}
	for s, n := range counts {
		to <- prometheus.MustNewConstMetric(m.simulations, prometheus.GaugeValue, n, string(s))
	}
}
