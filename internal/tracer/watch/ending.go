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
	// err says what happened; nil only where the API server ended a watch as it should.
	err error
	// wait is what the API server asked for.
	wait time.Duration
	// handler says that the error is the handler's.
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

// failed is an answer that makes no sense.
func failed(err error) *ending { return &ending{reason: Failed, err: err} }

// byHandler is the end that a handler asks for.
func byHandler(err error) *ending { return &ending{err: err, handler: true} }

var (
	// errSilent is the cause of a request's end on which nothing came.
	errSilent = errors.New("nothing came for too long")
	// errUnsupported is why a list is asked for in pages.
	errUnsupported = errors.New("the API server doesn't stream lists of it")
)

// broken is the end of a connection that failed with err.
func broken(doing string, err error) *ending {
	e := &ending{reason: Dropped, err: fmt.Errorf("%s: %w", doing, err)}
	if errors.Is(err, errSilent) {
		e.reason = Silent
	}
	return e
}

// refusal is the end that an answer other than OK asks for. The body is that of the answer, or the object of an ERROR frame, and code is for
// bodies that have none.
func refusal(doing string, code int, header http.Header, body []byte) *ending {
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
	e.wait = min(e.wait, patience)
	e.err = fmt.Errorf("%s: %w", doing, &refused{code: code, message: status.Message})
	return e
}

// refused is an answer other than OK, or an ERROR frame.
type refused struct {
	code    int
	message string
}

// Error implements error.
func (r *refused) Error() string {
	text := "the API server answers " + strconv.Itoa(r.code)
	if name := http.StatusText(r.code); name != "" {
		text += " " + name
	}
	if r.message != "" {
		text += ": " + r.message
	}
	return text
}

// retryAfter reads the header of that name in its form of seconds, which is what API servers send.
func retryAfter(header http.Header) time.Duration {
	seconds, err := strconv.Atoi(header.Get("Retry-After"))
	if err != nil || seconds < 0 {
		return 0
	}
	return time.Duration(min(seconds, 1e6)) * time.Second
}
