package admission

import (
	"errors"
	"time"

	"github.com/prometheus/client_golang/prometheus"
)

// Results of reviews.
const (
	resultMutated   = "mutated"
	resultUnchanged = "unchanged"
	resultDenied    = "denied"
	resultNotReady  = "not_ready"
	resultError     = "error"
	resultMalformed = "malformed"
)

type metrics struct {
	reviews  *prometheus.CounterVec
	duration prometheus.Histogram
}

func newMetrics(registerer prometheus.Registerer) (*metrics, error) {
	m := &metrics{
		reviews: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "simkube_admission_reviews_total",
			Help: "Admission reviews of pods, by result.",
		}, []string{"result"}),
		duration: prometheus.NewHistogram(prometheus.HistogramOpts{
			Name:    "simkube_admission_duration_seconds",
			Help:    "Duration of admission reviews of pods, from the first byte of the request to the response.",
			Buckets: []float64{.0001, .00025, .0005, .001, .0025, .005, .01, .025, .05},
		}),
	}
	for _, result := range []string{resultMutated, resultUnchanged, resultDenied, resultNotReady, resultError, resultMalformed} {
		m.reviews.WithLabelValues(result)
	}
	if registerer == nil {
		return m, nil
	}
	return m, errors.Join(registerer.Register(m.reviews), registerer.Register(m.duration))
}

func (m *metrics) observe(result string, took time.Duration) {
	m.reviews.WithLabelValues(result).Inc()
	m.duration.Observe(took.Seconds())
}
