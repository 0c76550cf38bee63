package admission

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"runtime/debug"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	admissionv1 "k8s.io/api/admission/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"simkube.io/simkube/internal/mutate"
)

// maxReview is several times the maximum size of an object in an API server.
const maxReview = 16 << 20

// Options are the options of a Handler. Mutator is required.
type Options struct {
	// Mutator returns the mutator, or nil if it is not ready yet. It is called concurrently.
	Mutator func() *mutate.Mutator
	// Logger logs rejected pods; it may be nil.
	Logger *slog.Logger
	// Registerer registers the metrics; it may be nil.
	Registerer prometheus.Registerer
}

// Handler handles admission reviews at POST /mutate, and probes at GET /healthz and /readyz. It is
// safe for concurrent use.
type Handler struct {
	mux     *http.ServeMux
	mutator func() *mutate.Mutator
	logger  *slog.Logger
	metrics *metrics
}

// New returns a Handler.
func New(opts Options) (*Handler, error) {
	if opts.Mutator == nil {
		return nil, errors.New("admission: no mutator")
	}
	if opts.Logger == nil {
		opts.Logger = slog.New(slog.DiscardHandler)
	}
	m, err := newMetrics(opts.Registerer)
	if err != nil {
		return nil, fmt.Errorf("admission: register metrics: %w", err)
	}
	h := &Handler{mux: http.NewServeMux(), mutator: opts.Mutator, logger: opts.Logger, metrics: m}
	h.mux.HandleFunc("POST /mutate", h.serveReview)
	h.mux.HandleFunc("GET /healthz", func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, "ok\n") })
	h.mux.HandleFunc("GET /readyz", h.serveReady)
	return h, nil
}

func (h *Handler) ServeHTTP(w http.ResponseWriter, r *http.Request) { h.mux.ServeHTTP(w, r) }

func (h *Handler) serveReady(w http.ResponseWriter, _ *http.Request) {
	if h.mutator() == nil {
		http.Error(w, "the simulation is not ready", http.StatusServiceUnavailable)
		return
	}
	_, _ = io.WriteString(w, "ok\n")
}

func (h *Handler) serveReview(w http.ResponseWriter, r *http.Request) {
	began := time.Now()
	request, status, err := readReview(http.MaxBytesReader(w, r.Body, maxReview))
	if err != nil {
		h.metrics.observe(resultMalformed, time.Since(began))
		http.Error(w, err.Error(), status)
		return
	}
	response, result := h.review(r.Context(), request)
	answer, err := json.Marshal(admissionv1.AdmissionReview{
		TypeMeta: metav1.TypeMeta{APIVersion: admissionv1.SchemeGroupVersion.String(), Kind: reviewKind},
		Response: response,
	})
	h.metrics.observe(result, time.Since(began))
	if err != nil {
		http.Error(w, fmt.Sprintf("encode the response: %v", err), http.StatusInternalServerError)
		return
	}
	w.Header().Set("Content-Type", "application/json")
	// If this fails, the API server is gone, and rejects the pod by itself.
	_, _ = w.Write(answer)
}

// review processes one request. It recovers from panics.
func (h *Handler) review(ctx context.Context, request *admissionv1.AdmissionRequest) (response *admissionv1.AdmissionResponse, result string) {
	defer func() {
		if cause := recover(); cause != nil {
			h.logger.ErrorContext(ctx, "review of a pod panicked", "uid", request.UID, "panic", cause, "stack", string(debug.Stack()))
			response, result = refuse(http.StatusInternalServerError, "internal error"), resultError
		}
		response.UID = request.UID
	}()
	patch, refusal := h.decide(ctx, request)
	switch {
	case refusal != nil:
		h.logger.WarnContext(ctx, "pod rejected", "uid", request.UID, "namespace", request.Namespace,
			"name", request.Name, "error", refusal.err)
		return refuse(refusal.code, refusal.err.Error()), refusal.result
	case patch == nil:
		return &admissionv1.AdmissionResponse{Allowed: true}, resultUnchanged
	}
	kind := admissionv1.PatchTypeJSONPatch
	return &admissionv1.AdmissionResponse{Allowed: true, Patch: patch, PatchType: &kind}, resultMutated
}

// refusal is the reason why a pod is rejected.
type refusal struct {
	code   int32
	result string
	err    error
}

// decide returns the patch for a pod; it is nil if nothing changes.
func (h *Handler) decide(ctx context.Context, request *admissionv1.AdmissionRequest) ([]byte, *refusal) {
	pod, err := podOf(request)
	if err != nil {
		return nil, &refusal{http.StatusBadRequest, resultDenied, err}
	}
	mutator := h.mutator()
	if mutator == nil {
		return nil, &refusal{http.StatusServiceUnavailable, resultNotReady, errors.New("the simulation is not ready")}
	}
	decide := mutator.Mutate
	if request.DryRun != nil && *request.DryRun {
		decide = mutator.Preview
	}
	before := pod.DeepCopy()
	if _, err := decide(ctx, pod); err != nil {
		return nil, &refusal{http.StatusForbidden, resultError, err}
	}
	patch, err := patchOf(before, pod)
	if err != nil {
		return nil, &refusal{http.StatusInternalServerError, resultError, err}
	}
	return patch, nil
}

func refuse(code int32, message string) *admissionv1.AdmissionResponse {
	return &admissionv1.AdmissionResponse{Result: &metav1.Status{
		Status: metav1.StatusFailure, Code: code, Message: "simkube: " + message,
	}}
}
