package server

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"reflect"
	"strings"
	"time"
	"unicode/utf8"

	simkubev1 "simkube.io/simkube/api/v1"
)

// maxBodyBytes is the maximum size of a request. It allows for a long transformation.
const maxBodyBytes = 4 << 20

// readRequest reads the request of an export from the body, with limits of time and size. The error
// is a *RequestError or a *http.MaxBytesError, or that of the connection.
func readRequest(w http.ResponseWriter, r *http.Request) (simkubev1.ExportRequest, error) {
	// Without a connection, as in tests, there is no deadline.
	control := http.NewResponseController(w)
	_ = control.SetReadDeadline(time.Now().Add(bodyTimeout))
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, maxBodyBytes))
	if err != nil {
		return simkubev1.ExportRequest{}, err
	}
	// From here on, the server reads to detect that the client has disconnected.
	_ = control.SetReadDeadline(time.Time{})
	return parseRequest(body)
}

// parseRequest parses a request and validates what does not depend on the tracer. Unknown fields
// are ignored.
func parseRequest(body []byte) (simkubev1.ExportRequest, error) {
	var request simkubev1.ExportRequest
	if err := json.Unmarshal(body, &request); err != nil {
		return request, &RequestError{[]simkubev1.Problem{jsonProblem(body, err)}}
	}
	// Times have no default, and a missing one cannot be distinguished from 0 in an integer.
	var given struct {
		Start *json.RawMessage `json:"start_ts"`
		End   *json.RawMessage `json:"end_ts"`
	}
	if err := json.Unmarshal(body, &given); err != nil {
		return request, fmt.Errorf("read the request again: %w", err)
	}
	var problems []simkubev1.Problem
	for _, field := range []struct {
		name  string
		value *json.RawMessage
	}{{"start_ts", given.Start}, {"end_ts", given.End}} {
		if field.value == nil {
			problems = append(problems, simkubev1.Problem{Field: field.name, Message: "must be set, in unix seconds"})
		}
	}
	if len(problems) == 0 {
		problems = request.Validate()
	}
	if len(problems) > 0 {
		return request, &RequestError{problems}
	}
	return request, nil
}

// jsonProblem returns a JSON error with its position in the body.
func jsonProblem(body []byte, err error) simkubev1.Problem {
	problem := simkubev1.Problem{Message: err.Error()}
	var (
		syntax *json.SyntaxError
		typed  *json.UnmarshalTypeError
		offset int64
	)
	switch {
	case len(bytes.TrimSpace(body)) == 0:
		problem.Message = "the body is empty; must be a JSON object with start_ts, end_ts and export_path"
		return problem
	case errors.As(err, &syntax):
		// The offset is after the offending byte, except if the input is truncated, which only the
		// message shows.
		problem.Message, offset = syntax.Error(), syntax.Offset
		if !strings.HasPrefix(problem.Message, "unexpected end") {
			offset = max(0, offset-1)
		}
	case errors.As(err, &typed):
		problem.Field, offset = typed.Field, typed.Offset
		problem.Message = fmt.Sprintf("must be %s, not a JSON %s", jsonType(typed.Type), typed.Value)
	default:
		return problem
	}
	problem.Line, problem.Column = position(body, int(min(offset, int64(len(body)))))
	return problem
}

// jsonType names the JSON type for a Go type.
func jsonType(t reflect.Type) string {
	switch t.Kind() {
	case reflect.String:
		return "a string"
	case reflect.Int64:
		return "a whole number"
	case reflect.Slice:
		return "an array"
	case reflect.Struct, reflect.Map:
		return "an object"
	default:
		return "a " + t.Kind().String()
	}
}

// position converts an offset to line and column, both from 1.
func position(text []byte, offset int) (line, column int) {
	before := text[:offset]
	line = 1 + bytes.Count(before, []byte("\n"))
	return line, 1 + utf8.RuneCount(before[bytes.LastIndexByte(before, '\n')+1:])
}
