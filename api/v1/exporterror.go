package v1

import (
	"fmt"
	"strings"
)

// ErrorResponse is the body of every error response of a tracer.
//
// +kubebuilder:object:generate=false
type ErrorResponse struct {
	// Message says what was tried, why it failed and what to do about it. It is complete without the
	// problems.
	Message string `json:"message"`
	// Problems are the errors in the request, if the request is invalid.
	// +optional
	Problems []Problem `json:"problems,omitempty"`
}

// Problem is one error in a request.
//
// +kubebuilder:object:generate=false
type Problem struct {
	// Message describes the error.
	Message string `json:"message"`
	// Field is the invalid field of the request, such as filters.excluded_labels[0]. Absent: the
	// request as a whole.
	// +optional
	Field string `json:"field,omitempty"`
	// Line and Column, counted from 1, are the position of the error: in the field transform, or in
	// the body of a request that is not valid JSON. Column counts characters. Absent: the error has no
	// position.
	// +optional
	Line int `json:"line,omitempty"`
	// +optional
	Column int `json:"column,omitempty"`
}

// String returns "filters.excluded_labels[0], line 3, column 7: message", without the parts that
// are not known.
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
