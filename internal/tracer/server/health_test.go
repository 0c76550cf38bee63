package server

import (
	"net/http"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/prometheus/client_golang/prometheus"

	simkubev1 "simkube.io/simkube/api/v1"
)

func TestServer_Ready(t *testing.T) {
	synced := ReadyCheck{Name: "apps/v1.Deployment", OK: true}
	missing := ReadyCheck{Name: "x.io/v1.Thing", Optional: true, Detail: "the cluster\nhas no such kind"}
	listing := ReadyCheck{Name: "v1.Pod", Detail: "is being listed"}
	for name, tc := range map[string]struct {
		checks []ReadyCheck
		query  string
		code   int
		want   string
	}{
		"no checks":       {nil, "", 200, "ok\n"},
		"all well":        {[]ReadyCheck{synced}, "", 200, "ok\n"},
		"all well, shown": {[]ReadyCheck{synced}, "?verbose", 200, "[+]apps/v1.Deployment ok\nok\n"},
		"a kind missing":  {[]ReadyCheck{synced, missing}, "", 200, "[!]x.io/v1.Thing degraded: the cluster has no such kind\nok\n"},
		"not yet": {
			[]ReadyCheck{synced, missing, listing},
			"", 503,
			"[+]apps/v1.Deployment ok\n[!]x.io/v1.Thing degraded: the cluster has no such kind\n[-]v1.Pod failed: is being listed\nreadyz check failed\n",
		},
	} {
		t.Run(name, func(t *testing.T) {
			w := ask(newServer(t, Options{Ready: func() []ReadyCheck { return tc.checks }}), http.MethodGet, "/readyz"+tc.query, "")
			if w.Code != tc.code {
				t.Errorf("status is %d, want %d", w.Code, tc.code)
			}
			if diff := cmp.Diff(tc.want, w.Body.String()); diff != "" {
				t.Errorf("body (-want +got):\n%s", diff)
			}
		})
	}
}

func TestServer_Status(t *testing.T) {
	s := newServer(t, Options{Status: func() simkubev1.TracerStatus {
		return simkubev1.TracerStatus{
			Version: "v1.2.3", Started: time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC), Ready: true,
			Kinds: []simkubev1.TracerKind{{Kind: "v1.Pod", State: simkubev1.KindSynced, Objects: 7}},
			Log:   simkubev1.TracerLog{Bytes: 100, Events: 3},
		}
	}})
	w := ask(s, http.MethodGet, "/api/v1/status", "")
	want := `{"version":"v1.2.3","started":"2026-01-02T03:04:05Z","ready":true,"kinds":[{"kind":"v1.Pod","state":"Synced","objects":7}],` +
		`"log":{"bytes":100,"events":3,"pending":0},"exports":{"running":0,"max":2}}` + "\n"
	if diff := cmp.Diff(want, w.Body.String()); w.Code != http.StatusOK || diff != "" {
		t.Errorf("status %d, body (-want +got):\n%s", w.Code, diff)
	}
}

func TestServer_Metrics(t *testing.T) {
	registry := prometheus.NewRegistry()
	counter := prometheus.NewCounter(prometheus.CounterOpts{Name: "things_total", Help: "Things."})
	registry.MustRegister(counter)
	w := ask(newServer(t, Options{Gatherer: registry}), http.MethodGet, "/metrics", "")
	want := "# HELP things_total Things.\n# TYPE things_total counter\nthings_total 0\n"
	if diff := cmp.Diff(want, w.Body.String()); w.Code != http.StatusOK || diff != "" {
		t.Errorf("status %d, body (-want +got):\n%s", w.Code, diff)
	}
}

func TestServer_OpenAPI(t *testing.T) {
	w := ask(newServer(t, Options{}), http.MethodGet, "/openapi", "")
	if w.Code != http.StatusOK || w.Body.String() != simkubev1.OpenAPI() || w.Header().Get("Content-Type") != "application/yaml" {
		t.Errorf("status %d, %s, %d bytes", w.Code, w.Header().Get("Content-Type"), w.Body.Len())
	}
}
