package server

import (
	"errors"
	"strings"

	simkubev1 "simkube.io/simkube/api/v1"
)

// ErrNoLocation is returned by a Storage whose bucket does not exist.
var ErrNoLocation = errors.New("the storage location does not exist")

// RequestError says what is wrong with a request.
type RequestError struct{ Problems []simkubev1.Problem }

// Error gives all problems, separated by semicolons.
func (e *RequestError) Error() string {
	texts := make([]string, len(e.Problems))
	for i, p := range e.Problems {
		texts[i] = p.String()
	}
	return strings.Join(texts, "; ")
}

// ConfigError says that a server cannot be run as it is configured.
type ConfigError struct {
	// Problem says what is wrong, Remedy what to do, naming the tracer's flags.
	Problem, Remedy string
}

func (e *ConfigError) Error() string { return e.Problem }

// Hint gives the remedy.
func (e *ConfigError) Hint() string { return e.Remedy }
