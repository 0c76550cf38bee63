package v1

import (
	"fmt"
	"strings"
)

// ErrorResponse is the body of every answer of a tracer that is an error.
//
// +kubebuilder:object:generate=false
type ErrorResponse struct {
	// Message says what was tried, why it failed, and what may be done about it. It is complete without the problems.
	Message string `json:"message"`
	// Problems are what is wrong with the request, if it is the request that is wrong.
	// +optional
	Problems []Problem `json:"problems,omitempty"`
}

// Problem is one thing that is wrong with a request.
//
// +kubebuilder:object:generate=false
type Problem struct {
	// Message says what is wrong.
	Message string `json:"message"`
	// Field is the field of the request that is wrong, such as filters.excluded_labels[0]. Absent: the request as a whole.
	// +optional
	Field string `json:"field,omitempty"`
	// Line and Column are where it is wrong, from 1: in the text of the field transform, or in the body of a request that
	// is not JSON. A column counts characters. Absent: nowhere in particular.
	// +optional
	Line int `json:"line,omitempty"`
	// +optional
	Column int `json:"column,omitempty"`
}

// String gives "filters.excluded_labels[0], line 3, column 7: what is wrong", with as much before the colon as is known.
func (p Problem) String() string {
	var where []string
	if p.Field != "" {
		where = append(where, p.Field)
	}
	if p.Line > 0 {
		where = append(where, fmt.Sprintf("line %d, column %d", p.Line, p.Column))
	}
	if len(where) == 0 {
		return p.Message
	}
	return strings.Join(where, ", ") + ": " + p.Message
}
