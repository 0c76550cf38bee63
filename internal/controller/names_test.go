package controller

import (
	"context"
	"errors"
	"strings"
	"testing"

	corev1 "k8s.io/api/core/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	simkubev1 "simkube.io/simkube/api/v1"
)

// Every field that holds a name rejects a path.
func TestCheckNames(t *testing.T) {
	good := func() *simkubev1.Simulation {
		sim := simulationIn("Initializing")
		sim.Spec.Driver = simkubev1.SimulationDriver{
			Image: "i", Namespace: "simkube", TracePath: "s3://bucket/key", VirtualNsPrefix: "virtual",
			Secrets: []string{"aws", "a.b-c"}, CertManagerIssuer: new("issuer"),
		}
		sim.Spec.Metrics = &simkubev1.SimulationMetrics{Namespace: new("monitoring"), ServiceAccount: new("prometheus-k8s")}
		sim.Spec.Results = &simkubev1.SimulationResults{URL: "s3://bucket/folder/"}
		return sim
	}
	if err := checkNames(good()); err != nil {
		t.Fatalf("a good simulation: %v", err)
	}
	for field, set := range map[string]func(*simkubev1.Simulation, string){
		"metadata.name":                 func(s *simkubev1.Simulation, n string) { s.Name = n },
		"spec.driver.namespace":         func(s *simkubev1.Simulation, n string) { s.Spec.Driver.Namespace = n },
		"spec.driver.virtualNsPrefix":   func(s *simkubev1.Simulation, n string) { s.Spec.Driver.VirtualNsPrefix = n },
		"spec.driver.certManagerIssuer": func(s *simkubev1.Simulation, n string) { s.Spec.Driver.CertManagerIssuer = &n },
		"spec.driver.secrets[1]":        func(s *simkubev1.Simulation, n string) { s.Spec.Driver.Secrets[1] = n },
		"spec.metrics.namespace":        func(s *simkubev1.Simulation, n string) { s.Spec.Metrics.Namespace = &n },
		"spec.metrics.serviceAccount":   func(s *simkubev1.Simulation, n string) { s.Spec.Metrics.ServiceAccount = &n },
		"spec.results.configMap":        func(s *simkubev1.Simulation, n string) { s.Spec.Results = &simkubev1.SimulationResults{ConfigMap: n} },
		"spec.results.persistentVolumeClaim": func(s *simkubev1.Simulation, n string) {
			s.Spec.Results = &simkubev1.SimulationResults{PersistentVolumeClaim: n}
		},
	} {
		for _, name := range []string{"..", ".", "../../nodes/a", "a/b", "a%2fb", "A", "a\x1b[31m"} {
			sim := good()
			set(sim, name)
			checkFailure(t, checkNames(sim), reasonInvalid, "invalid "+field+" ")
		}
	}
	for field, set := range map[string]func(*simkubev1.Simulation, string){
		"spec.driver.tracePath": func(s *simkubev1.Simulation, n string) { s.Spec.Driver.TracePath = n },
		"spec.results.url":      func(s *simkubev1.Simulation, n string) { s.Spec.Results.URL = n },
	} {
		for _, place := range []string{"s3://bucket/../other/key", "gs://bucket/a/../../b", "azure://container/a/..", "s3://bucket//a", "s3://bucket/a\x1b", "s3://Bucket/a"} {
			sim := good()
			set(sim, place)
			checkFailure(t, checkNames(sim), reasonInvalid, "invalid "+field+": ")
		}
	}
}

// readsAll is a reader that finds whatever it is asked for.
type readsAll struct{ client.Reader }

func (readsAll) Get(context.Context, client.ObjectKey, client.Object, ...client.GetOption) error {
	return nil
}
func (readsAll) List(context.Context, client.ObjectList, ...client.ListOption) error { return nil }

// Reading an object by a name that is a path fails: the client for metadata would follow it.
func TestCheckedReader(t *testing.T) {
	s := &session{controller: &controller{reader: checkedReader{readsAll{}}}, sim: simulationIn("")}
	for _, name := range []string{"..", "../../configmaps/a", "a%2f.."} {
		s.sim.Spec.Driver.Namespace = "simkube"
		if has, err := s.exists(t.Context(), "Secret", name); has || err == nil || !strings.Contains(err.Error(), "invalid name") {
			t.Errorf("the Secret %q: got %v, %v", name, has, err)
		}
		s.sim.Spec.Driver.Namespace = name
		if has, err := s.exists(t.Context(), "Secret", "a"); has || err == nil {
			t.Errorf("in the namespace %q: got %v, %v", name, has, err)
		}
		if err := s.reader.List(t.Context(), &corev1.PodList{}, client.InNamespace(name)); err == nil {
			t.Errorf("the namespace %q was listed", name)
		}
	}
	s.sim.Spec.Driver.Namespace = "simkube"
	if has, err := s.exists(t.Context(), "Secret", "a"); !has || err != nil {
		t.Errorf("got %v, %v", has, err)
	}
}

// A simulation with an invalid Prometheus can be cleaned up.
func TestMetricsPart(t *testing.T) {
	sim := simulationIn("")
	sim.Spec.Metrics = &simkubev1.SimulationMetrics{Namespace: new("../x")}
	if part, has := metricsPart(sim, &simkubev1.SimulationRoot{}); has {
		t.Errorf("got %v", part)
	}
	sim.Spec.Metrics.Namespace = nil
	if _, has := metricsPart(sim, &simkubev1.SimulationRoot{}); !has {
		t.Error("got none")
	}
}

// Names of roots from the status and from owner references are not used if they are paths.
func TestDriverRoots_Paths(t *testing.T) {
	sim := simulationIn("Running")
	sim.Status.Driver = &simkubev1.DriverStatus{Pod: "../nodes/a"}
	if got := driverRoots(sim, nil, nil); len(got) > 0 {
		t.Errorf("got %q", got)
	}
}

func TestLimits_Names(t *testing.T) {
	s := limited(t, Options{}, false)
	s.sim.Spec.Driver.Secrets = []string{"../a"}
	err := s.checkLimits(t.Context())
	checkFailure(t, err, reasonInvalid, `invalid spec.driver.secrets[0] "../a": `)
	var failed *failure
	if errors.As(err, &failed) && !strings.Contains(failed.message, "create the simulation again") {
		t.Errorf("the error does not say what to do: %v", err)
	}
}
