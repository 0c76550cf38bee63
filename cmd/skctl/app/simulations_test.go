package app

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/yaml"

	simkubev1 "simkube.io/simkube/api/v1"
)

const simulationsPath = "/apis/simkube.io/v1/simulations"

// apiServer is a minimal API server for requests for simulations. It has no state: handlers respond
// to "METHOD path", and to "WATCH path" for watches.
type apiServer struct {
	kubeconfig string

	mu       sync.Mutex
	handlers map[string]http.HandlerFunc
	requests []string // with their bodies
}

func newAPIServer(t *testing.T) *apiServer {
	t.Helper()
	s := &apiServer{handlers: map[string]http.HandlerFunc{}}
	server := httptest.NewServer(s)
	t.Cleanup(server.Close)
	s.kubeconfig = filepath.Join(t.TempDir(), "kubeconfig")
	config := fmt.Sprintf(`{apiVersion: v1, kind: Config, current-context: a, contexts: [{name: a, context: {cluster: a, user: a}}],
clusters: [{name: a, cluster: {server: %q}}], users: [{name: a, user: {}}]}`, server.URL)
	if err := os.WriteFile(s.kubeconfig, []byte(config), 0o600); err != nil {
		t.Fatal(err)
	}
	return s
}

func (s *apiServer) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, _ := io.ReadAll(r.Body)
	method := r.Method
	if r.URL.Query().Get("watch") != "" {
		method = "WATCH"
	}
	s.mu.Lock()
	s.requests = append(s.requests, strings.TrimSpace(method+" "+r.URL.Path+" "+string(body)))
	handler := s.handlers[method+" "+r.URL.Path]
	s.mu.Unlock()
	if handler == nil {
		http.Error(w, "404 page not found", http.StatusNotFound)
		return
	}
	handler(w, r)
}

func (s *apiServer) handle(request string, handler http.HandlerFunc) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.handlers[request] = handler
}

// made returns the requests that begin with a method.
func (s *apiServer) made(method string) []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	var out []string
	for _, request := range s.requests {
		if strings.HasPrefix(request, method+" ") {
			out = append(out, request)
		}
	}
	return out
}

// have makes the server serve simulations, which can be read, listed, changed and deleted.
func (s *apiServer) have(sims ...*simkubev1.Simulation) {
	s.handle("GET "+simulationsPath, func(w http.ResponseWriter, r *http.Request) { answer(w, listOf(r, sims...)) })
	for _, sim := range sims {
		path := simulationsPath + "/" + sim.Name
		for _, method := range []string{"GET", "PATCH", "DELETE"} {
			s.handle(method+" "+path, func(w http.ResponseWriter, _ *http.Request) { answer(w, sim) })
		}
	}
	s.handle("GET "+simulationsPath+"/nobody", refuse(http.StatusNotFound, metav1.StatusReasonNotFound, `simulations.simkube.io "nobody" not found`))
}

// watched makes the server send events to the first watch and then end it. Later watches receive
// nothing.
func (s *apiServer) watched(events ...metav1.WatchEvent) {
	var once sync.Once
	s.handle("WATCH "+simulationsPath, func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		done := false
		once.Do(func() {
			for _, event := range events {
				_ = json.NewEncoder(w).Encode(event)
			}
			done = true
		})
		if !done {
			w.(http.Flusher).Flush()
			<-r.Context().Done()
		}
	})
}

func changed(kind string, sim *simkubev1.Simulation) metav1.WatchEvent {
	data, err := json.Marshal(sim)
	if err != nil {
		panic(err)
	}
	event := metav1.WatchEvent{Type: kind}
	event.Object.Raw = data
	return event
}

func listOf(r *http.Request, sims ...*simkubev1.Simulation) any {
	items := []any{}
	for _, sim := range sims {
		if name, ok := strings.CutPrefix(r.URL.Query().Get("fieldSelector"), "metadata.name="); !ok || name == sim.Name {
			items = append(items, sim)
		}
	}
	return map[string]any{
		"apiVersion": "simkube.io/v1", "kind": "SimulationList", "metadata": map[string]any{"resourceVersion": "7"}, "items": items,
	}
}

func answer(w http.ResponseWriter, object any) {
	w.Header().Set("Content-Type", "application/json")
	_ = json.NewEncoder(w).Encode(object)
}

func refuse(code int32, reason metav1.StatusReason, message string) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		w.WriteHeader(int(code))
		_ = json.NewEncoder(w).Encode(metav1.Status{
			TypeMeta: metav1.TypeMeta{APIVersion: "v1", Kind: "Status"}, Status: metav1.StatusFailure, Code: code, Reason: reason, Message: message,
			Details: &metav1.StatusDetails{Group: "simkube.io", Kind: "simulations"},
		})
	}
}

// simulated returns a simulation parsed from YAML, for instance its status.
func simulated(t *testing.T, name, text string) *simkubev1.Simulation {
	t.Helper()
	sim := &simkubev1.Simulation{}
	if err := yaml.UnmarshalStrict([]byte(text), sim); err != nil {
		t.Fatal(err)
	}
	sim.APIVersion, sim.Kind = "simkube.io/v1", "Simulation"
	sim.Name, sim.UID = name, types.UID("uid-"+name)
	return sim
}

// Errors of the cluster are explained.
func TestSimulations_Errors(t *testing.T) {
	forbidden := refuse(http.StatusForbidden, metav1.StatusReasonForbidden, `simulations.simkube.io is forbidden: User "ann" cannot list`)
	kindMissing := "the cluster does not have the kind Simulation\n  hint: to install it, run skctl crd | kubectl apply -f -\n"
	for name, tc := range map[string]struct {
		args    []string
		prepare func(*apiServer)
		want    string
	}{
		"get: kind missing":    {[]string{"get"}, func(*apiServer) {}, "skctl: list simulations: " + kindMissing},
		"pause: kind missing":  {[]string{"pause", "friday"}, func(*apiServer) {}, "skctl: get simulation friday: " + kindMissing},
		"run: kind missing":    {[]string{"run", "friday", "--disable-metrics"}, func(*apiServer) {}, "skctl: create simulation friday: " + kindMissing},
		"wait: kind missing":   {[]string{"wait", "friday"}, func(*apiServer) {}, "skctl: watch simulation friday: " + kindMissing},
		"delete: kind missing": {[]string{"rm", "friday"}, func(*apiServer) {}, "skctl: get simulation friday: " + kindMissing},
		"run: there already": {
			[]string{"run", "friday", "--disable-metrics"},
			func(s *apiServer) {
				s.handle("POST "+simulationsPath, refuse(http.StatusConflict, metav1.StatusReasonAlreadyExists, "already exists"))
			},
			"skctl: create simulation friday: it already exists\n  hint: use another name, or delete it: skctl delete --wait friday\n",
		},
		"run: invalid": {
			[]string{"run", "friday", "--disable-metrics"},
			func(s *apiServer) {
				s.handle("POST "+simulationsPath, refuse(http.StatusUnprocessableEntity, metav1.StatusReasonInvalid, "spec.driver.port: too low"))
			},
			"skctl: create simulation friday: spec.driver.port: too low\n",
		},
		"one other": {
			[]string{"logs", "nobody"},
			func(s *apiServer) { s.have(simulated(t, "friday", "")) },
			"skctl: simulation nobody does not exist\n  hint: the only one is friday\n",
		},
		"several others": {
			[]string{"resume", "nobody"},
			func(s *apiServer) {
				s.have(simulated(t, "friday", ""), simulated(t, "sunday", ""), simulated(t, "monday", ""))
			},
			"skctl: simulation nobody does not exist\n  hint: it must be one of friday, monday and sunday\n",
		},
		"none": {
			[]string{"wait", "nobody"},
			func(s *apiServer) { s.have() },
			"skctl: simulation nobody does not exist\n  hint: there are no simulations; skctl run creates one\n",
		},
		"forbidden": {
			[]string{"get"},
			func(s *apiServer) { s.handle("GET "+simulationsPath, forbidden) },
			"skctl: list simulations: simulations.simkube.io is forbidden: User \"ann\" cannot list\n" +
				"  hint: ask an administrator for the permission; skctl uses the verbs get, list, watch, create, patch and delete for simulations.simkube.io\n",
		},
	} {
		t.Run(name, func(t *testing.T) {
			server := newAPIServer(t)
			tc.prepare(server)
			code, stdout, stderr := run(t, append(tc.args, "--kubeconfig", server.kubeconfig)...)
			if code != exitFailed || stdout != "" {
				t.Errorf("exit code is %d, standard output %q", code, stdout)
			}
			if diff := cmp.Diff(tc.want, stderr); diff != "" {
				t.Errorf("standard error (-want +got):\n%s", diff)
			}
		})
	}
}

func TestSimulations_NoKubeconfig(t *testing.T) {
	t.Setenv("KUBECONFIG", filepath.Join(t.TempDir(), "none"))
	t.Setenv("KUBERNETES_SERVICE_HOST", "")
	for _, args := range [][]string{{"run", "x"}, {"get"}, {"wait", "x"}, {"logs", "x"}, {"pause", "x"}, {"resume", "x"}, {"delete", "x"}} {
		code, _, stderr := run(t, args...)
		if want := "skctl: connect to the cluster: no kubeconfig\n  hint: set it with --kubeconfig"; code != exitFailed || !strings.HasPrefix(stderr, want) {
			t.Errorf("%s: exit code %d, standard error %q, want %q", args, code, stderr, want)
		}
	}
}

func TestSimulations_Completion(t *testing.T) {
	server := newAPIServer(t)
	server.have(simulated(t, "sunday", ""), simulated(t, "friday", ""))
	for _, command := range []string{"get", "wait", "logs", "pause", "resume", "delete"} {
		_, stdout, _ := run(t, "__complete", command, "--kubeconfig", server.kubeconfig, "")
		if names := strings.Fields(stdout); len(names) < 2 || !slices.Equal(names[:2], []string{"friday", "sunday"}) {
			t.Errorf("%s is completed by %q", command, stdout)
		}
	}
}

// No request is made with a name that is more than one segment of a URL's path.
func TestSimulations_NameIsNoPath(t *testing.T) {
	for _, command := range []string{"get", "wait", "logs", "pause", "resume", "delete"} {
		for _, name := range []string{"..", "../../nodes/a", "a%2fb"} {
			server := newAPIServer(t)
			code, _, stderr := run(t, command, name, "--kubeconfig", server.kubeconfig)
			if want := fmt.Sprintf("invalid NAME %q", name); code != exitUsage || !strings.Contains(stderr, want) {
				t.Errorf("%s %s: got exit code %d and %q, want %d and %q", command, name, code, stderr, exitUsage, want)
			}
			for _, method := range []string{"GET", "PATCH", "DELETE"} {
				for _, made := range server.made(method) {
					if made != "GET "+simulationsPath { // wait reads the list
						t.Errorf("%s %s: the request %s was made", command, name, made)
					}
				}
			}
		}
	}
}
