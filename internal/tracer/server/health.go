package server

import (
	"fmt"
	"io"
	"net/http"
	"strings"

	simkubev1 "simkube.io/simkube/api/v1"
)

// health responds that the server is running.
func health(w http.ResponseWriter, _ *http.Request) { writeText(w, http.StatusOK, "ok\n") }

// ready responds whether everything that must work does, in the format of Kubernetes components: a
// line per check. Successful checks are shown with ?verbose, or if another check failed.
func (s *Server) ready(w http.ResponseWriter, r *http.Request) {
	code, checks := http.StatusOK, s.opts.Ready()
	for _, c := range checks {
		if !c.OK && !c.Optional {
			code = http.StatusServiceUnavailable
		}
	}
	all := r.URL.Query().Has("verbose") || code != http.StatusOK
	var b strings.Builder
	for _, c := range checks {
		switch {
		case c.OK && all:
			fmt.Fprintf(&b, "[+]%s ok\n", c.Name)
		case !c.OK && c.Optional:
			fmt.Fprintf(&b, "[!]%s degraded: %s\n", c.Name, oneLine(c.Detail))
		case !c.OK:
			fmt.Fprintf(&b, "[-]%s failed: %s\n", c.Name, oneLine(c.Detail))
		}
	}
	if code == http.StatusOK {
		b.WriteString("ok\n")
	} else {
		b.WriteString("readyz check failed\n")
	}
	writeText(w, code, b.String())
}

func (s *Server) status(w http.ResponseWriter, _ *http.Request) {
	status := s.opts.Status()
	status.Exports = simkubev1.TracerExports{Running: len(s.slots), Max: cap(s.slots)}
	if status.Kinds == nil {
		status.Kinds = []simkubev1.TracerKind{}
	}
	s.respond(w, http.StatusOK, status)
}

// openAPI responds with the description of this API.
func openAPI(w http.ResponseWriter, _ *http.Request) {
	w.Header().Set("Content-Type", "application/yaml")
	_, _ = io.WriteString(w, simkubev1.OpenAPI())
}

func writeText(w http.ResponseWriter, code int, text string) {
	w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	w.WriteHeader(code)
	_, _ = io.WriteString(w, text)
}

// oneLine keeps a detail from looking like several checks.
func oneLine(s string) string { return strings.Join(strings.Fields(s), " ") }
