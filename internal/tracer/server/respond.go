package server

import (
	"encoding/json"
	"net/http"

	simkubev1 "simkube.io/simkube/api/v1"
)

// fail responds with an error.
func (s *Server) fail(w http.ResponseWriter, code int, message string, problems ...simkubev1.Problem) {
	s.respond(w, code, simkubev1.ErrorResponse{Message: message, Problems: problems})
}

// respond responds with JSON.
func (s *Server) respond(w http.ResponseWriter, code int, body any) {
	data, err := json.Marshal(body)
	if err != nil {
		s.opts.Logger.Error("encode a response", "error", err)
		code, data = http.StatusInternalServerError, []byte(`{"message":"cannot encode the response"}`)
	}
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(code)
	// An error means that the client is gone.
	_, _ = w.Write(append(data, '\n'))
}
