package drivertest

import (
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"net"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	admissionregistrationv1 "k8s.io/api/admissionregistration/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/apimachinery/pkg/util/wait"
	"k8s.io/client-go/tools/clientcmd"
	"sigs.k8s.io/yaml"

	simkubev1 "simkube.io/simkube/api/v1"
	"simkube.io/simkube/internal/driver"
	"simkube.io/simkube/internal/serving"
	"simkube.io/simkube/internal/serving/servingtest"
	"simkube.io/simkube/trace"
)

// waitTime is how long a test waits for something that should take a moment.
const waitTime = time.Minute

// stage is a Simulation with the objects that a controller would create for it.
type stage struct {
	tb   testing.TB
	name string
	part part
}

// part is the input of a driver. For one in another process it is encoded as JSON.
type part struct {
	Kubeconfig, Simulation, Pod, Trace string
	Cert, Key, Address, Claims         string
	Work                               string // removed with the test
	FailFast                           bool
}

// prepare creates a Simulation named after the test, and its objects.
func prepare(tb testing.TB, events []trace.Event, change func(*simkubev1.Simulation)) *stage {
	tb.Helper()
	s := &stage{tb: tb, name: strings.ToLower(strings.NewReplacer("/", "-", "_", "-").Replace(tb.Name()))}
	certificate := servingtest.NewCertificate(tb, tb.TempDir(), "driver")
	s.part = part{
		Kubeconfig: env.kubeconfig, Simulation: s.name, Pod: s.name + "-pod", Trace: filepath.Join(tb.TempDir(), "trace.sktrace"),
		Cert: certificate.Cert, Key: certificate.Key, Address: freeAddress(tb), Claims: tb.TempDir(), Work: tb.TempDir(),
	}
	if events != nil {
		file := trace.Trace{Config: config(), Events: events}
		if err := file.WriteFile(s.part.Trace); err != nil {
			tb.Fatal(err)
		}
	}
	s.create(change)
	s.createWebhook()
	tb.Cleanup(s.remove)
	return s
}

func config() trace.Config {
	return trace.Config{TrackedObjects: map[schema.GroupVersionKind]trace.TrackedObject{
		{Version: "v1", Kind: "ConfigMap"}:                 {},
		{Version: "v1", Kind: "Pod"}:                       {PodSpecTemplatePaths: []string{""}},
		{Group: "apps", Version: "v1", Kind: "Deployment"}: {PodSpecTemplatePaths: []string{"/spec/template"}},
	}}
}

func freeAddress(tb testing.TB) string {
	tb.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		tb.Fatal(err)
	}
	defer l.Close()
	return l.Addr().String()
}

func (s *stage) create(change func(*simkubev1.Simulation)) {
	s.tb.Helper()
	sim := &simkubev1.Simulation{
		TypeMeta:   metav1.TypeMeta{APIVersion: simkubev1.GroupVersion.String(), Kind: "Simulation"},
		ObjectMeta: metav1.ObjectMeta{Name: s.name},
		Spec: simkubev1.SimulationSpec{Driver: simkubev1.SimulationDriver{
			Image: "driver", Namespace: driverNamespace, Port: 8888, TracePath: "/data/trace", VirtualNsPrefix: s.name,
		}},
	}
	if change != nil {
		change(sim)
	}
	text, err := json.Marshal(sim)
	if err != nil {
		s.tb.Fatal(err)
	}
	u := &unstructured.Unstructured{}
	if err := u.UnmarshalJSON(text); err != nil {
		s.tb.Fatal(err)
	}
	if _, err := s.simulations().Create(s.tb.Context(), u, metav1.CreateOptions{}); err != nil {
		s.tb.Fatal(err)
	}
}

func (s *stage) createWebhook() {
	s.tb.Helper()
	ca, err := os.ReadFile(s.part.Cert)
	if err != nil {
		s.tb.Fatal(err)
	}
	webhook := admissionregistrationv1.MutatingWebhook{
		Name:                    "mutatepods.simkube.io",
		AdmissionReviewVersions: []string{"v1"},
		SideEffects:             new(admissionregistrationv1.SideEffectClassNoneOnDryRun),
		FailurePolicy:           new(admissionregistrationv1.Fail),
		ClientConfig:            admissionregistrationv1.WebhookClientConfig{URL: new("https://" + s.part.Address + "/mutate"), CABundle: ca},
		NamespaceSelector:       &metav1.LabelSelector{MatchLabels: simkubev1.SimulatedLabels(s.name)},
		Rules: []admissionregistrationv1.RuleWithOperations{{
			Operations: []admissionregistrationv1.OperationType{admissionregistrationv1.Create},
			Rule:       admissionregistrationv1.Rule{APIGroups: []string{""}, APIVersions: []string{"v1"}, Resources: []string{"pods"}},
		}},
	}
	configuration := &admissionregistrationv1.MutatingWebhookConfiguration{
		ObjectMeta: metav1.ObjectMeta{Name: simkubev1.MutatingWebhookName(s.name)},
		Webhooks:   []admissionregistrationv1.MutatingWebhook{webhook},
	}
	if _, err := env.client.AdmissionregistrationV1().MutatingWebhookConfigurations().Create(s.tb.Context(), configuration, metav1.CreateOptions{}); err != nil {
		s.tb.Fatal(err)
	}
}

// remove deletes what prepare created, and checks that the driver left nothing but the checkpoint,
// which the controller would delete.
func (s *stage) remove() {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(s.tb.Context()), waitTime)
	defer cancel()
	for _, name := range s.left(ctx) {
		s.tb.Errorf("%s is left", name)
	}
	if err := s.simulations().Delete(ctx, s.name, metav1.DeleteOptions{}); err != nil {
		s.tb.Error(err)
	}
	if err := env.client.AdmissionregistrationV1().MutatingWebhookConfigurations().Delete(ctx, simkubev1.MutatingWebhookName(s.name), metav1.DeleteOptions{}); err != nil {
		s.tb.Error(err)
	}
	// There is none if no event was replayed.
	_ = env.client.CoreV1().ConfigMaps(driverNamespace).Delete(ctx, simkubev1.DriverCheckpointName(s.name), metav1.DeleteOptions{})
}

// left returns the roots and namespaces of the simulation.
func (s *stage) left(ctx context.Context) []string {
	var left []string
	for _, resource := range []schema.GroupVersionResource{simkubev1.GroupVersion.WithResource("simulationroots"), {Version: "v1", Resource: "namespaces"}} {
		list, err := env.dynamic.Resource(resource).List(ctx, metav1.ListOptions{LabelSelector: simkubev1.LabelSimulation + "=" + s.name})
		if err != nil {
			s.tb.Error(err)
			continue
		}
		for i := range list.Items {
			// The namespace controller takes a while to delete a namespace.
			if list.Items[i].GetDeletionTimestamp() == nil {
				left = append(left, list.Items[i].GetKind()+" "+list.Items[i].GetName())
			}
		}
	}
	return left
}

func (s *stage) simulations() interface {
	Get(ctx context.Context, name string, options metav1.GetOptions, subresources ...string) (*unstructured.Unstructured, error)
	Create(ctx context.Context, obj *unstructured.Unstructured, options metav1.CreateOptions, subresources ...string) (*unstructured.Unstructured, error)
	Delete(ctx context.Context, name string, options metav1.DeleteOptions, subresources ...string) error
	Patch(ctx context.Context, name string, pt types.PatchType, data []byte, options metav1.PatchOptions, subresources ...string) (*unstructured.Unstructured, error)
} {
	return env.dynamic.Resource(simkubev1.GroupVersion.WithResource("simulations"))
}

// status returns the current status.driver.
func (s *stage) status() simkubev1.DriverStatus {
	s.tb.Helper()
	u, err := s.simulations().Get(s.tb.Context(), s.name, metav1.GetOptions{})
	if err != nil {
		s.tb.Fatal(err)
	}
	text, err := u.MarshalJSON()
	if err != nil {
		s.tb.Fatal(err)
	}
	var sim simkubev1.Simulation
	if err := json.Unmarshal(text, &sim); err != nil {
		s.tb.Fatal(err)
	}
	if sim.Status == nil || sim.Status.Driver == nil {
		return simkubev1.DriverStatus{}
	}
	return *sim.Status.Driver
}

func (s *stage) patch(text string) {
	s.tb.Helper()
	if _, err := s.simulations().Patch(s.tb.Context(), s.name, types.MergePatchType, []byte(text), metav1.PatchOptions{}); err != nil {
		s.tb.Fatal(err)
	}
}

// start runs a driver in this process, and returns a function that waits for its end.
func (s *stage) start(ctx context.Context) (wait func() error) {
	s.tb.Helper()
	var err error
	var running sync.WaitGroup
	running.Go(func() {
		err = drive(ctx, s.part, slog.New(slog.NewTextHandler(s.tb.Output(), &slog.HandlerOptions{Level: slog.LevelInfo})))
	})
	return func() error {
		running.Wait()
		return err
	}
}

// drive runs a driver.
func drive(ctx context.Context, p part, log *slog.Logger) error {
	config, err := clientcmd.BuildConfigFromFlags("", p.Kubeconfig)
	if err != nil {
		return err
	}
	tls, err := serving.CertificateFiles(p.Cert, p.Key, log)
	if err != nil {
		return err
	}
	listener, err := net.Listen("tcp", p.Address)
	if err != nil {
		return err
	}
	dir, err := os.MkdirTemp(p.Work, "driver-") // a new one after each start, as in a pod
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	return driver.Run(ctx, driver.Options{
		Config: config, Simulation: p.Simulation, ControllerNamespace: driverNamespace, Pod: p.Pod, Namespace: driverNamespace,
		TracePath: p.Trace, Webhook: listener, TLS: tls, WorkDir: dir, ClaimDir: p.Claims, FailFast: p.FailFast, Logger: log,
	})
}

// eventually waits until f returns true.
func (s *stage) eventually(what string, f func() bool) {
	s.tb.Helper()
	err := wait.PollUntilContextTimeout(s.tb.Context(), 20*time.Millisecond, waitTime, true, func(context.Context) (bool, error) { return f(), nil })
	if err != nil {
		s.tb.Fatalf("wait for %s: %v; the driver is at %+v", what, err, s.status())
	}
}

// origin is the time of the first event of the tests' traces.
const origin = 1_700_000_000

// at returns an event that applies manifests.
func at(tb testing.TB, seconds int64, manifests ...string) trace.Event {
	tb.Helper()
	event := trace.Event{Time: origin + seconds}
	for _, manifest := range manifests {
		text, err := yaml.YAMLToJSON([]byte(manifest))
		if err != nil {
			tb.Fatal(err)
		}
		u := &unstructured.Unstructured{}
		if err := u.UnmarshalJSON(text); err != nil {
			tb.Fatal(err)
		}
		object, err := trace.NewObject(u)
		if err != nil {
			tb.Fatal(err)
		}
		event.Applied = append(event.Applied, object)
	}
	return event
}

func configMap(name string) string {
	return fmt.Sprintf("{apiVersion: v1, kind: ConfigMap, metadata: {namespace: demo, name: %s}}", name)
}

func deployment(name string, replicas int) string {
	return fmt.Sprintf(`
apiVersion: apps/v1
kind: Deployment
metadata: {namespace: demo, name: %[1]s}
spec:
  replicas: %[2]d
  selector: {matchLabels: {app: %[1]s}}
  template:
    metadata: {labels: {app: %[1]s}}
    spec:
      containers: [{name: main, image: nginx, resources: {requests: {cpu: 100m}}}]
`, name, replicas)
}

func pod(name string) string {
	return fmt.Sprintf("{apiVersion: v1, kind: Pod, metadata: {namespace: demo, name: %s}, spec: {containers: [{name: main, image: nginx}]}}", name)
}

// seen records the simulation's objects of some kinds as they appear, until the test ends.
type seen struct {
	mu sync.Mutex
	// names holds the UIDs of all objects by name.
	names map[string]map[types.UID]bool
	// numbers holds the pods by owner, type and number.
	numbers map[string]map[string]bool
}

func (s *seen) add(u *unstructured.Unstructured) {
	s.mu.Lock()
	defer s.mu.Unlock()
	name := u.GetKind() + " " + u.GetName()
	if s.names[name] == nil {
		s.names[name] = map[types.UID]bool{}
	}
	s.names[name][u.GetUID()] = true
	owners, annotations := u.GetOwnerReferences(), u.GetAnnotations()
	if u.GetKind() != "Pod" || len(owners) == 0 || owners[0].Kind == "SimulationRoot" {
		return
	}
	// Each repetition has a new ReplicaSet.
	number := string(owners[0].UID) + " " + annotations[simkubev1.AnnotationPodSpecStableHash] + " " + annotations[simkubev1.AnnotationPodSequenceNumber]
	if s.numbers[number] == nil {
		s.numbers[number] = map[string]bool{}
	}
	s.numbers[number][u.GetName()] = true
}

func (s *seen) has(names ...string) []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.DeleteFunc(slices.Clone(names), func(name string) bool { return s.names[name] != nil })
}
