package simtest

import (
	"context"
	"io"
	"os"
	"strings"
	"testing"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	simkubev1 "simkube.io/simkube/api/v1"
	"simkube.io/simkube/internal/driver"
	"simkube.io/simkube/storage"
	"simkube.io/simkube/storage/storagetest"
)

// The trace is read from a bucket, and the results are written there, with the credentials of a
// Secret. If they are wrong, the simulation fails with a message.
func TestBucket(t *testing.T) {
	t.Parallel()
	for name, start := range map[string]func(testing.TB) *storagetest.Server{
		"s3": storagetest.StartS3, "google": storagetest.StartGoogle, "azure": storagetest.StartAzure,
	} {
		t.Run(name, func(t *testing.T) {
			concurrently(t)
			b := bucket{start(t)}
			b.write(t, "traces/first-steps.sktrace", env.trace)
			t.Run("right", func(t *testing.T) {
				sim := b.simulate(t, b.Env)
				done := await(t, sim, "Finished", isState(simkubev1.SimulationFinished))
				checkFinished(t, done, 1)
				if where := done.Status.Driver.Summaries[0].Results; where != b.Prefix+"results/run-01" {
					t.Errorf("the status says that the results are in %q", where)
				}
				if text := b.read(t, "results/run-01/summary.json"); !strings.Contains(text, `"schemaVersion"`) {
					t.Errorf("summary.json is %.80q", text)
				}
				if text := b.read(t, "results/repetitions.json"); !strings.Contains(text, `"kubernetes"`) || !strings.Contains(text, `"run-01"`) {
					t.Errorf("repetitions: %.300s", text)
				}
				if text := b.read(t, "results/run-01/report.html"); !strings.Contains(text, "<html") {
					t.Errorf("report.html is %.80q", text)
				}
			})
			for what, wrong := range b.Wrong { // package storage tests them all; one is enough here
				t.Run("wrong", func(t *testing.T) {
					failed := await(t, b.simulate(t, wrong), "Failed", isState(simkubev1.SimulationFailed))
					condition := meta.FindStatusCondition(failed.Status.Conditions, simkubev1.ConditionFailed)
					if condition == nil || condition.Reason != driver.ReasonTraceUnreadable || !strings.Contains(condition.Message, "driver.secrets") {
						t.Errorf("with %s it says %+v", what, condition)
					}
				})
				break
			}
		})
	}
}

type bucket struct{ *storagetest.Server }

// simulate starts a simulation of the trace in the bucket, whose driver has variables from a
// Secret.
func (b bucket) simulate(t *testing.T, variables map[string]string) *simkubev1.Simulation {
	t.Helper()
	secret := &corev1.Secret{
		ObjectMeta: metav1.ObjectMeta{Namespace: namespace, Name: "bucket-" + ownPrefix(t)}, StringData: variables,
	}
	if err := env.client.Create(t.Context(), secret); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := env.client.Delete(context.WithoutCancel(t.Context()), secret); err != nil {
			t.Error(err)
		}
	})
	sim := simulation(t, func(sim *simkubev1.Simulation) {
		sim.Spec.Driver.TracePath, sim.Spec.Driver.Secrets = b.Prefix+"traces/first-steps.sktrace", []string{secret.Name}
		sim.Spec.Results = &simkubev1.SimulationResults{URL: b.Prefix + "results/"}
	})
	start(t, sim)
	return sim
}

func (b bucket) write(t *testing.T, key, path string) {
	t.Helper()
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	w, err := b.Client(t, storage.Options{}).Create(t.Context(), b.at(t, key))
	if err != nil {
		t.Fatal(err)
	}
	defer w.Close()
	if _, err := w.Write(data); err != nil {
		t.Fatal(err)
	}
	if err := w.Commit(); err != nil {
		t.Fatal(err)
	}
}

func (b bucket) read(t *testing.T, key string) string {
	t.Helper()
	r, err := b.Client(t, storage.Options{}).Open(t.Context(), b.at(t, key))
	if err != nil {
		t.Error(err)
		return ""
	}
	defer r.Close()
	data, err := io.ReadAll(r)
	if err != nil {
		t.Error(err)
	}
	return string(data)
}

func (b bucket) at(t *testing.T, key string) storage.Location {
	t.Helper()
	location, err := storage.Parse(b.Prefix + key)
	if err != nil {
		t.Fatal(err)
	}
	return location
}
