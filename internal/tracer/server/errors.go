package server

import (
	"errors"
	"strings"

	simkubev1 "simkube.io/simkube/api/v1"
)

// ErrNoLocation is returned by a Storage if the bucket does not exist.
var ErrNoLocation = errors.New("the storage location does not exist")

// RequestError is returned for an invalid request.
type RequestError struct{ Problems []simkubev1.Problem }

// Error returns all problems, separated by semicolons.
func (e *RequestError) Error() string {
	texts := make([]string, len(e.Problems))
	for i, p := range e.Problems {
		texts[i] = p.String()
	}
	return strings.Join(texts, "; ")
}

// ConfigError is returned if the configuration of a server is not allowed.
type ConfigError struct {
	// Problem is what is not allowed, Remedy how to change it, with the names of the tracer's flags.
	Problem, Remedy string
}

func (e *ConfigError) Error() string { return e.Problem }

// Hint returns the remedy.
func (e *ConfigError) Hint() string { return e.Remedy }
