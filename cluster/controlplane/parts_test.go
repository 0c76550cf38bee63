package controlplane

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"k8s.io/apimachinery/pkg/api/resource"
	"sigs.k8s.io/yaml"
)

func resourceQuantity(s string) resource.Quantity { return resource.MustParse(s) }

func TestConnectSchedulerConfig(t *testing.T) {
	tests := []struct {
		name, in, want, wantErr string
	}{
		{
			name: "keeps profiles and QPS, replaces connection and leader election",
			in: `apiVersion: kubescheduler.config.k8s.io/v1
kind: KubeSchedulerConfiguration
clientConnection: {kubeconfig: /etc/other, qps: 7}
leaderElection: {leaderElect: true, resourceName: x}
percentageOfNodesToScore: 5
`,
			want: `apiVersion: kubescheduler.config.k8s.io/v1
kind: KubeSchedulerConfiguration
clientConnection: {kubeconfig: /ours, qps: 7}
leaderElection: {leaderElect: false}
percentageOfNodesToScore: 5
`,
		},
		{name: "another kind", in: "kind: Pod", wantErr: `want kind KubeSchedulerConfiguration, got "Pod"`},
		{name: "no YAML", in: "a: b: c", wantErr: "mapping values are not allowed"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			got, err := connectSchedulerConfig([]byte(tt.in), "/ours")
			if tt.wantErr != "" {
				if err == nil || !strings.Contains(err.Error(), tt.wantErr) {
					t.Fatalf("error: got %v, want %q", err, tt.wantErr)
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			var gotTree, wantTree any
			if err := errors.Join(yaml.Unmarshal(got, &gotTree), yaml.Unmarshal([]byte(tt.want), &wantTree)); err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(wantTree, gotTree); diff != "" {
				t.Errorf("-want +got:\n%s", diff)
			}
		})
	}
}

func TestQPSArgs(t *testing.T) {
	for qps, want := range map[float32][]string{
		0:   nil,
		-1:  {"--kube-api-qps=1000000", "--kube-api-burst=2000000"},
		2.5: {"--kube-api-qps=2.5", "--kube-api-burst=5"},
	} {
		if diff := cmp.Diff(want, qpsArgs(qps)); diff != "" {
			t.Errorf("qps %g: -want +got:\n%s", qps, diff)
		}
	}
}

func TestParseStages(t *testing.T) {
	const a1 = `{apiVersion: kwok.x-k8s.io/v1alpha1, kind: Stage, metadata: {name: a}, spec: {resourceRef: {apiGroup: v1, kind: Pod}, next: {}}}`
	const a2 = `{apiVersion: kwok.x-k8s.io/v1alpha1, kind: Stage, metadata: {name: a}, spec: {resourceRef: {apiGroup: v1, kind: Node}, next: {}}}`
	stages, err := parseStages([]Manifest{{Name: "one", Data: []byte(a1)}, {Name: "two", Data: []byte("# nothing\n---\n" + a2)}})
	if err != nil {
		t.Fatal(err)
	}
	if len(stages) != 1 {
		t.Fatalf("the later stage of a name replaces the earlier: got %v", stages)
	}
	for ref := range stages {
		if ref.Kind != "Node" {
			t.Errorf("kind: got %s, want Node", ref.Kind)
		}
	}
	for in, want := range map[string]string{
		"kind: Pod":                       "f.yaml, document 1: want a kwok.x-k8s.io/v1alpha1 Stage with a name",
		a1 + "\n---\nspec: {typo: 1}":     "f.yaml, document 2: ",
		"kind: Stage\nmetadata: {name: x": "f.yaml, document 1: ",
	} {
		if _, err := parseStages([]Manifest{{Name: "f.yaml", Data: []byte(in)}}); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: got error %v, want %q", in, err, want)
		}
	}
}

func TestParseCRDs_RefusesOtherKinds(t *testing.T) {
	_, err := parseCRDs([]Manifest{{Name: "f.yaml", Data: []byte("apiVersion: v1\nkind: Pod\n")}})
	if want := "f.yaml, document 1: want an apiextensions.k8s.io/v1 CustomResourceDefinition, got v1 Pod"; err == nil || err.Error() != want {
		t.Errorf("got %v, want %s", err, want)
	}
}

func TestDataDir_OneOwner(t *testing.T) {
	path := filepath.Join(t.TempDir(), "data")
	dir, err := openDataDir(path)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := openDataDir(path); err == nil || !strings.Contains(err.Error(), "in use by another process") {
		t.Errorf("second owner: got %v", err)
	}
	if err := dir.close(); err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(path); err != nil {
		t.Errorf("a given folder must stay: %v", err)
	}
}

func TestSupervisor_FirstFailureWins(t *testing.T) {
	s := newSupervisor(t.Context())
	boom := errors.New("boom")
	s.run("lasting", func(ctx context.Context) error { <-ctx.Done(); return ctx.Err() })
	fail := make(chan error)
	s.run("failing", func(context.Context) error { return <-fail })
	s.run("quiet", func(ctx context.Context) error { <-ctx.Done(); return nil })
	if err := s.failure(); err != nil {
		t.Fatalf("before anything failed: %v", err)
	}
	fail <- boom
	<-s.done
	var component *ComponentError
	if err := s.failure(); !errors.As(err, &component) || component.Component != "failing" || !errors.Is(err, boom) {
		t.Errorf("failure: got %v, want failing: boom", err)
	}
	if err := s.stop(t.Context()); err != nil {
		t.Errorf("stop: %v", err)
	}
}

func TestSupervisor_ReturningNilIsAFailureToo(t *testing.T) {
	s := newSupervisor(t.Context())
	s.run("gone", func(context.Context) error { return nil })
	<-s.done
	if err := s.failure(); !errors.Is(err, errStoppedEarly) {
		t.Errorf("got %v, want %v", err, errStoppedEarly)
	}
}

func TestSupervisor_StopNamesWhatHangs(t *testing.T) {
	s := newSupervisor(t.Context())
	release := make(chan struct{})
	s.run("stuck", func(context.Context) error { <-release; return nil })
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := s.stop(ctx); err == nil || !strings.Contains(err.Error(), "stop stuck") {
		t.Errorf("got %v, want it to name the component", err)
	}
	close(release)
}
