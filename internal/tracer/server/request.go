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

// maxBodyBytes leaves room for a long transformation.
const maxBodyBytes = 4 << 20

// readRequest reads an export's request from the body, which may not take too long or be too large. An error is a
// *RequestError or a *http.MaxBytesError, or the connection's.
func readRequest(w http.ResponseWriter, r *http.Request) (simkubev1.ExportRequest, error) {
	// Where a deadline cannot be set, as in tests without a connection, there is none.
	control := http.NewResponseController(w)
	_ = control.SetReadDeadline(time.Now().Add(bodyTimeout))
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, maxBodyBytes))
	if err != nil {
		return simkubev1.ExportRequest{}, err
	}
	// From here on, the server reads to find out whether the client is still there.
	_ = control.SetReadDeadline(time.Time{})
	return parseRequest(body)
}

// parseRequest reads a request and checks what can be checked without knowing the tracer. Unknown fields are ignored.
func parseRequest(body []byte) (simkubev1.ExportRequest, error) {
	var request simkubev1.ExportRequest
	if err := json.Unmarshal(body, &request); err != nil {
		return request, &RequestError{[]simkubev1.Problem{jsonProblem(body, err)}}
	}
	// Times have no default. That they are missing does not show in numbers.
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
			problems = append(problems, simkubev1.Problem{Field: field.name, Message: "is missing; wanted are unix seconds"})
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

// jsonProblem says where a body is not the JSON it should be.
func jsonProblem(body []byte, err error) simkubev1.Problem {
	problem := simkubev1.Problem{Message: err.Error()}
	var (
		syntax *json.SyntaxError
		typed  *json.UnmarshalTypeError
		offset int64
	)
	switch {
	case len(bytes.TrimSpace(body)) == 0:
		problem.Message = "the body is empty; wanted is a JSON object with start_ts, end_ts and export_path"
		return problem
	case errors.As(err, &syntax):
		// The offset is behind the offending byte, but for an input that ends too early; nothing else tells these apart.
		problem.Message, offset = syntax.Error(), syntax.Offset
		if !strings.HasPrefix(problem.Message, "unexpected end") {
			offset = max(0, offset-1)
		}
	case errors.As(err, &typed):
		problem.Field, offset = typed.Field, typed.Offset
		problem.Message = fmt.Sprintf("is a JSON %s where %s was wanted", typed.Value, jsonType(typed.Type))
	default:
		return problem
	}
	problem.Line, problem.Column = position(body, int(min(offset, int64(len(body)))))
	return problem
}

// jsonType names the JSON that a type is read from.
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

// position turns an offset into line and column, both from 1.
func position(text []byte, offset int) (line, column int) {
	before := text[:offset]
	line = 1 + bytes.Count(before, []byte("\n"))
	return line, 1 + utf8.RuneCount(before[bytes.LastIndexByte(before, '\n')+1:])
}
