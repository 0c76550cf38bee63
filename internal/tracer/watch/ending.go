package watch

import (
	"errors"
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"simkube.io/simkube/internal/tracer/manifest"
)

// ending is how an attempt ended.
type ending struct {
	reason Reason
	// err is the error; nil only if the API server ended a watch regularly.
	err error
	// wait is the wait that the API server asked for.
	wait time.Duration
	// handler is whether the error is that of the handler.
	handler bool
}

// Error implements error.
func (e *ending) Error() string {
	if e.err == nil {
		return string(e.reason)
	}
	return e.err.Error()
}

func (e *ending) Unwrap() error { return e.err }

// failed is the end after a response that is invalid.
func failed(err error) *ending { return &ending{reason: Failed, err: err} }

// byHandler is the end after an error of the handler.
func byHandler(err error) *ending { return &ending{err: err, handler: true} }

var (
	// errSilent is the cause of a request's cancellation if no data arrived.
	errSilent = errors.New("no data received for too long")
	// errUnsupported is the reason why a list is requested in pages.
	errUnsupported = errors.New("the API server does not stream lists of this kind")
)

// broken is the end after a connection failed with err.
func broken(action string, err error) *ending {
	e := &ending{reason: Dropped, err: fmt.Errorf("%s: %w", action, err)}
	if errors.Is(err, errSilent) {
		e.reason = Silent
	}
	return e
}

// refusal is the end after a response with a status other than OK, or an ERROR frame. The body is
// that of the response, or the object of the frame; code is used if the body has none.
func refusal(action string, code int, header http.Header, body []byte) *ending {
	status, err := manifest.ParseStatus(body)
	if err != nil {
		status = &metav1.Status{Message: strings.TrimSpace(string(body[:min(len(body), 200)]))}
	}
	if status.Code != 0 {
		code = int(status.Code)
	}
	e := &ending{reason: Failed, wait: retryAfter(header)}
	if status.Details != nil {
		e.wait = max(e.wait, time.Duration(status.Details.RetryAfterSeconds)*time.Second)
	}
	switch {
	case code == http.StatusGone || status.Reason == metav1.StatusReasonExpired || status.Reason == metav1.StatusReasonGone:
		e.reason = Expired
	case code == http.StatusNotFound:
		e.reason = Absent
	case code == http.StatusForbidden, code == http.StatusUnauthorized:
		e.reason = Refused
	case code == http.StatusTooManyRequests, code == http.StatusServiceUnavailable, e.wait > 0:
		e.reason = Throttled
	}
	e.wait = min(e.wait, maxRetryAfter)
	e.err = fmt.Errorf("%s: %w", action, &refused{code: code, message: status.Message})
	return e
}

// refused is the error of a response with a status other than OK, or of an ERROR frame.
type refused struct {
	code    int
	message string
}

// Error implements error.
func (r *refused) Error() string {
	text := "the API server returned " + strconv.Itoa(r.code)
	if name := http.StatusText(r.code); name != "" {
		text += " " + name
	}
	if r.message != "" {
		text += ": " + r.message
	}
	return text
}

// retryAfter returns the value of the header Retry-After in seconds. API servers do not send it as
// a date.
func retryAfter(header http.Header) time.Duration {
	seconds, err := strconv.Atoi(header.Get("Retry-After"))
	if err != nil || seconds < 0 {
		return 0
	}
	return time.Duration(min(seconds, 1e6)) * time.Second
}
