package server

import (
	"encoding/json"
	"net/http"

	simkubev1 "simkube.io/simkube/api/v1"
)

// fail answers with an error.
func (s *Server) fail(w http.ResponseWriter, code int, message string, problems ...simkubev1.Problem) {
	s.respond(w, code, simkubev1.ErrorResponse{Message: message, Problems: problems})
}

// respond answers with JSON.
func (s *Server) respond(w http.ResponseWriter, code int, body any) {
	data, err := json.Marshal(body)
	if err != nil {
		s.opts.Logger.Error("encode an answer", "error", err)
		code, data = http.StatusInternalServerError, []byte(`{"message":"the answer cannot be written as JSON"}`)
	}
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(code)
	// A client that has gone is nothing to tell anybody.
	_, _ = w.Write(append(data, '\n'))
}
