package driver

import (
	"crypto/tls"
	"errors"
	"log/slog"
	"net"
	"strings"
	"testing"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/kubernetes/fake"
	"k8s.io/client-go/rest"

	simkubev1 "simkube.io/simkube/api/v1"
	"simkube.io/simkube/internal/mutate"
	"simkube.io/simkube/internal/simulation"
)

// TestOptions_Names checks that the names in the driver's flags and environment must not be paths.
func TestOptions_Names(t *testing.T) {
	good := func() Options {
		return Options{
			Config: &rest.Config{}, Simulation: "sim", ControllerNamespace: "simkube", Pod: "sk-sim-driver-x", Namespace: "simkube", TracePath: "/t",
			Webhook: &net.TCPListener{}, TLS: &tls.Config{}, WorkDir: "/w", Logger: slog.New(slog.DiscardHandler),
		}
	}
	opts := good()
	if err := opts.complete(); err != nil {
		t.Fatal(err)
	}
	for what, set := range map[string]func(*Options, string){
		"simulation":             func(o *Options, name string) { o.Simulation = name },
		"controller's namespace": func(o *Options, name string) { o.ControllerNamespace = name },
		"pod":                    func(o *Options, name string) { o.Pod = name },
		"namespace":              func(o *Options, name string) { o.Namespace = name },
	} {
		for _, name := range []string{"..", "../nodes/a", "a%2fb"} {
			opts := good()
			set(&opts, name)
			if err := opts.complete(); err == nil || !strings.HasPrefix(err.Error(), "invalid name of the "+what) {
				t.Errorf("%s %q: got %v", what, name, err)
			}
		}
	}
}

// TestCheckResults checks that a replay does not start if its results cannot be stored.
func TestCheckResults(t *testing.T) {
	for url, valid := range map[string]bool{
		"": true, "s3://bucket/folder": true, "s3://bucket": true, "gs://bucket/folder/": true,
		"s3://bucket/../other": false, "s3://bucket/a/..": false, "s3://bucket//a": false, "s3://b?x": false,
	} {
		err := checkResults(&simkubev1.SimulationResults{URL: url})
		var failed *Failure
		if valid && err != nil || !valid && (!errors.As(err, &failed) || failed.Reason != ReasonInvalidSimulation) {
			t.Errorf("%q: got %v, want it to be valid: %v", url, err, valid)
		}
	}
	if err := checkResults(nil); err != nil {
		t.Error(err)
	}
}

// TestCheckpoints_Load_Root checks that a checkpoint, which others may write too, cannot name
// another object.
func TestCheckpoints_Load_Root(t *testing.T) {
	for root, loaded := range map[string]bool{"sk-sim-driver-x-root": true, "": false, "..": false, "../nodes/a": false, "a%2fb": false} {
		packed, err := pack(saved{Simulation: "uid", Run: 1, Checkpoint: simulation.Checkpoint{Root: mutate.Root{Name: root, UID: "u"}}})
		if err != nil {
			t.Fatal(err)
		}
		c := &checkpoints{
			client: fake.NewClientset(&corev1.ConfigMap{
				ObjectMeta: metav1.ObjectMeta{Name: "c", Namespace: "simkube"}, BinaryData: map[string][]byte{checkpointKey: packed},
			}),
			namespace: "simkube", name: "c", uid: "uid", log: slog.New(slog.DiscardHandler),
		}
		got, err := c.load(t.Context())
		if err != nil || (got != nil) != loaded {
			t.Errorf("%q: got %+v, %v, want one: %v", root, got, err, loaded)
		}
	}
}
