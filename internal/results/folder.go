package results

import (
	"fmt"
	"io"
)

// WriteOptions configure [Write].
type WriteOptions struct {
	// Overwrite replaces a result folder that is in the way. Anything else in the way never is.
	Overwrite bool
	// Report draws report.html; nil leaves it out.
	Report func(io.Writer, *Run) error
}

// ExistsError is returned when there is something where a result folder should go.
type ExistsError struct {
	Dir string
	// Results is true for a result folder, which Overwrite would replace.
	Results bool
}

func (e *ExistsError) Error() string {
	if e.Results {
		return fmt.Sprintf("%s already holds results", e.Dir)
	}
	return fmt.Sprintf("%s exists and is not a result folder", e.Dir)
}

// CheckOutput returns the *ExistsError that [Write] would, so that a long run can find out before it
// starts.
func CheckOutput(dir string, overwrite bool) error { return nil }

// Write writes a run as a folder: all of it, or nothing.
func Write(dir string, run *Run, opts WriteOptions) error { return nil }

// Read reads a folder that [Write] wrote.
func Read(dir string) (*Run, error) { return &Run{}, nil }
