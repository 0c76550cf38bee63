package tracer

import (
	"bytes"
	"context"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"regexp"
	"sync/atomic"
	"testing"
	"time"

	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/client-go/rest"

	"simkube.io/simkube/internal/tracer/log"
	"simkube.io/simkube/internal/tracer/manifest"
	"simkube.io/simkube/internal/tracer/watch"
	"simkube.io/simkube/trace"
)

// deploymentFrame returns an event of a Deployment whose template changes with every revision. The
// events of these benchmarks are generated beforehand, so that generating them is not measured.
func deploymentFrame(object, revision int) []byte {
	return fmt.Appendf(nil, `{"type":"MODIFIED","object":{"kind":"Deployment","apiVersion":"apps/v1","metadata":{"name":"service-%[1]d","namespace":"team-%[2]d",`+
		`"uid":"00000000-0000-4000-8000-%012[1]d","resourceVersion":"%[3]d","generation":%[3]d,"creationTimestamp":"2026-03-10T00:00:00Z",`+
		`"labels":{"app":"service-%[1]d","team":"team-%[2]d","app.kubernetes.io/managed-by":"deployer"},"annotations":{"deployment.kubernetes.io/revision":"%[3]d"},`+
		`"managedFields":[{"manager":"deployer","operation":"Update","apiVersion":"apps/v1","time":"2026-03-10T00:00:00Z","fieldsType":"FieldsV1",`+
		`"fieldsV1":{"f:metadata":{"f:labels":{".":{},"f:app":{},"f:team":{}}},"f:spec":{"f:replicas":{},"f:selector":{},"f:strategy":{},"f:template":{"f:spec":{"f:containers":{}}}}}}]},`+
		`"spec":{"replicas":3,"selector":{"matchLabels":{"app":"service-%[1]d"}},"template":{"metadata":{"creationTimestamp":null,"labels":{"app":"service-%[1]d"}},`+
		`"spec":{"containers":[{"name":"main","image":"registry.example.com/service-%[1]d:v%[3]d","ports":[{"containerPort":8080,"protocol":"TCP"}],`+
		`"env":[{"name":"LOG_LEVEL","value":"info"},{"name":"REVISION","value":"%[3]d"}],"resources":{"limits":{"memory":"512Mi"},"requests":{"cpu":"250m","memory":"256Mi"}},`+
		`"terminationMessagePath":"/dev/termination-log","terminationMessagePolicy":"File","imagePullPolicy":"IfNotPresent"}],"restartPolicy":"Always",`+
		`"terminationGracePeriodSeconds":30,"dnsPolicy":"ClusterFirst","securityContext":{},"schedulerName":"default-scheduler"}},`+
		`"strategy":{"type":"RollingUpdate","rollingUpdate":{"maxUnavailable":"25%%","maxSurge":"25%%"}},"revisionHistoryLimit":10,"progressDeadlineSeconds":600},`+
		`"status":{"observedGeneration":%[3]d,"replicas":3,"updatedReplicas":3,"readyReplicas":3,"availableReplicas":3}}}`+"\n", object, object%50, revision)
}

// statusFrame returns an event of the same Deployment that is not recorded.
func statusFrame(object, revision int) []byte {
	frame := deploymentFrame(object, 1)
	return bytes.Replace(frame, []byte(`"status":{"observedGeneration":1`), fmt.Appendf(nil, `"status":{"observedGeneration":%d`, revision), 1)
}

// podFrame returns an event of a pod in one of the three steps of its life, or its deletion.
func podFrame(object, step int) []byte {
	kind := [...]string{"ADDED", "MODIFIED", "MODIFIED", "DELETED"}[step]
	node, status := "", `{"phase":"Pending","qosClass":"Burstable"}`
	if step > 0 {
		node = fmt.Sprintf(`"nodeName":"node-%d",`, object%1000)
		status = `{"phase":"Pending","conditions":[{"type":"PodScheduled","status":"True","lastProbeTime":null,"lastTransitionTime":"2026-03-10T00:00:01Z"}],"qosClass":"Burstable"}`
	}
	if step > 1 {
		status = `{"phase":"Running","conditions":[{"type":"PodScheduled","status":"True","lastProbeTime":null,"lastTransitionTime":"2026-03-10T00:00:01Z"},` +
			`{"type":"Ready","status":"True","lastProbeTime":null,"lastTransitionTime":"2026-03-10T00:00:02Z"}],"hostIP":"10.0.0.1","podIP":"10.1.0.1","startTime":"2026-03-10T00:00:01Z",` +
			`"containerStatuses":[{"name":"main","state":{"running":{"startedAt":"2026-03-10T00:00:02Z"}},"lastState":{},"ready":true,"restartCount":0,` +
			`"image":"registry.example.com/service:v1","imageID":"sha256:0123456789abcdef","containerID":"containerd://0123456789abcdef","started":true}],"qosClass":"Burstable"}`
	}
	return fmt.Appendf(nil, `{"type":%[1]q,"object":{"kind":"Pod","apiVersion":"v1","metadata":{"name":"service-%[2]d-%[3]d","namespace":"team-%[4]d",`+
		`"uid":"00000000-0000-4000-9000-%012[3]d","resourceVersion":"%[5]d","creationTimestamp":"2026-03-10T00:00:00Z","labels":{"app":"service-%[2]d","pod-template-hash":"5d4f8c7b9"},`+
		`"ownerReferences":[{"apiVersion":"apps/v1","kind":"ReplicaSet","name":"service-%[2]d-5d4f8c7b9","uid":"00000000-0000-4000-a000-%012[2]d","controller":true,"blockOwnerDeletion":true}],`+
		`"managedFields":[{"manager":"kube-controller-manager","operation":"Update","apiVersion":"v1","time":"2026-03-10T00:00:00Z","fieldsType":"FieldsV1",`+
		`"fieldsV1":{"f:metadata":{"f:generateName":{},"f:labels":{".":{},"f:app":{},"f:pod-template-hash":{}},"f:ownerReferences":{}},"f:spec":{"f:containers":{"k:{\"name\":\"main\"}":{}}}}}]},`+
		`"spec":{%[6]s"volumes":[{"name":"kube-api-access-x","projected":{"sources":[{"serviceAccountToken":{"expirationSeconds":3607,"path":"token"}}],"defaultMode":420}}],`+
		`"containers":[{"name":"main","image":"registry.example.com/service-%[2]d:v1","ports":[{"containerPort":8080,"protocol":"TCP"}],`+
		`"resources":{"requests":{"cpu":"250m","memory":"256Mi"}},"volumeMounts":[{"name":"kube-api-access-x","readOnly":true,"mountPath":"/var/run/secrets/kubernetes.io/serviceaccount"}]}],`+
		`"restartPolicy":"Always","serviceAccountName":"default","serviceAccount":"default","schedulerName":"default-scheduler"},"status":%[7]s}}`+"\n",
		kind, object%1000, object, object%50, object*4+step, node, status)
}

// apiServer is an API server with Deployments and pods that sends as many events of them as
// requested.
type apiServer struct {
	url               string
	deployments, pods *stream
}

// stream is the watch of one kind.
type stream struct {
	// frame returns event i, valid until the next call.
	frame func(i int) []byte
	// left is the number of events to send; more has a token if it is positive.
	left atomic.Int64
	more chan struct{}
}

// cycle repeats frames forever.
func cycle(frames [][]byte) func(int) []byte {
	return func(i int) []byte { return frames[i%len(frames)] }
}

func serveStreams(tb testing.TB, deployments, pods func(i int) []byte) *apiServer {
	tb.Helper()
	s := &apiServer{
		deployments: &stream{frame: deployments, more: make(chan struct{}, 1)},
		pods:        &stream{frame: pods, more: make(chan struct{}, 1)},
	}
	mux := http.NewServeMux()
	resources := func(group, name, kind string) {
		path := "/apis/" + group
		if group == "v1" {
			path = "/api/v1"
		}
		mux.HandleFunc("GET "+path, func(w http.ResponseWriter, _ *http.Request) {
			fmt.Fprintf(w, `{"kind":"APIResourceList","apiVersion":"v1","groupVersion":%q,"resources":[{"name":%q,"namespaced":true,"kind":%q,"verbs":["get","list","watch"]}]}`,
				group, name, kind)
		})
	}
	resources("apps/v1", "deployments", "Deployment")
	resources("v1", "pods", "Pod")
	mux.HandleFunc("GET /apis/apps/v1/deployments", s.deployments.watch)
	mux.HandleFunc("GET /api/v1/pods", s.pods.watch)
	server := httptest.NewServer(mux)
	s.url = server.URL
	tb.Cleanup(server.Close)
	return s
}

func (s *stream) watch(w http.ResponseWriter, r *http.Request) {
	fmt.Fprintf(w, `{"type":"BOOKMARK","object":{"metadata":{"resourceVersion":"1","annotations":{"k8s.io/initial-events-end":"true"}}}}`+"\n")
	w.(http.Flusher).Flush()
	buffer := make([]byte, 0, 64<<10)
	for i := 0; ; {
		for n := s.left.Swap(0); n > 0; n-- {
			if len(buffer) > cap(buffer)/2 {
				if _, err := w.Write(buffer); err != nil {
					return
				}
				buffer = buffer[:0]
			}
			buffer = append(buffer, s.frame(i)...)
			i++
		}
		if _, err := w.Write(buffer); err != nil {
			return
		}
		buffer = buffer[:0]
		w.(http.Flusher).Flush()
		select {
		case <-s.more:
		case <-r.Context().Done():
			return
		}
	}
}

func (s *stream) send(events int) {
	s.left.Add(int64(events))
	select {
	case s.more <- struct{}{}:
	default:
	}
}

// benchTracer runs a tracer, with its log on disk, against an API server.
func benchTracer(b *testing.B, server *apiServer, config *trace.Config) *Tracer {
	b.Helper()
	t, err := Open(Options{
		Cluster:     &rest.Config{Host: server.url},
		Config:      config,
		Dir:         b.TempDir(),
		Log:         log.Options{Retention: 7 * 24 * time.Hour, MaxSize: 10 << 30},
		NoExtension: true,
		Logger:      slog.New(slog.DiscardHandler),
	})
	if err != nil {
		b.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- t.Run(ctx) }()
	b.Cleanup(func() {
		cancel()
		if err := <-done; err != nil {
			b.Error(err)
		}
		if err := t.Close(); err != nil {
			b.Error(err)
		}
	})
	ownPods(t)
	for _, kind := range []schema.GroupVersionKind{deploymentKind, podKind} {
		for t.follower(kind) == nil || t.follower(kind).watcher.Status().State != watch.Synced {
			time.Sleep(time.Millisecond)
		}
	}
	return t
}

// awaitEvents waits until a number of events of a kind has been received, and their entries are
// durable.
func awaitEvents(b *testing.B, t *Tracer, gvk schema.GroupVersionKind, events int64) {
	b.Helper()
	for t.follower(gvk).watcher.Status().Events < events {
		time.Sleep(100 * time.Microsecond)
	}
	// The last one is being handled.
	snapshot, err := t.log.Snapshot()
	if err != nil {
		b.Fatal(err)
	}
	if err := snapshot.Close(); err != nil {
		b.Fatal(err)
	}
}

// ownPods makes the owners of the pods of podFrame known to the tracer.
func ownPods(t *Tracer) {
	for object := range 1000 {
		name := fmt.Sprintf("service-%d", object)
		namespace := fmt.Sprintf("team-%d", object%50)
		t.owners.learn(&manifest.Head{
			UID: fmt.Sprintf("00000000-0000-4000-a000-%012d", object), Namespace: namespace, Name: name + "-5d4f8c7b9",
			Owners: []manifest.OwnerReference{{APIVersion: "apps/v1", Kind: "Deployment", Name: name, UID: "d-" + name, Controller: true}},
		})
		t.owners.learn(&manifest.Head{UID: "d-" + name, Namespace: namespace, Name: name})
	}
}

func noFrames(int) []byte { return nil }

// changes are 1,000 Deployments that are changed repeatedly, statuses the same with changes of the
// status only, and podLives pods that are created, scheduled, run and deleted.
func changes() (frames [][]byte) {
	for revision := range 20 {
		for object := range 1000 {
			frames = append(frames, deploymentFrame(object, revision+1))
		}
	}
	return frames
}

func statuses() (frames [][]byte) {
	for revision := range 20 {
		for object := range 1000 {
			frames = append(frames, statusFrame(object, revision+1))
		}
	}
	return frames
}

// barePodLives are like podLives, of pods without an owner.
func barePodLives() (frames [][]byte) {
	owners := regexp.MustCompile(`"ownerReferences":\[[^\]]*\],`)
	for _, frame := range podLives() {
		frames = append(frames, owners.ReplaceAll(frame, nil))
	}
	return frames
}

func podLives() (frames [][]byte) {
	for batch := range 20 {
		for step := range 4 {
			for object := range 250 {
				frames = append(frames, podFrame(batch*250+object, step))
			}
		}
	}
	return frames
}

// BenchmarkIngest measures how many object events a tracer processes, over HTTP, until they are
// durable on disk: events that are all recorded, events that are not recorded, and pods.
func BenchmarkIngest(b *testing.B) {
	for _, bench := range []struct {
		name   string
		kind   schema.GroupVersionKind
		config *trace.Config
		frames func() [][]byte
	}{
		{"changes", deploymentKind, lifecycles(deploymentKind), changes},
		{"statuses", deploymentKind, lifecycles(deploymentKind), statuses},
		{"pods", podKind, lifecycles(deploymentKind), podLives},
		{"bare pods", podKind, lifecycles(deploymentKind, podKind), barePodLives},
	} {
		b.Run(bench.name, func(b *testing.B) {
			frames := bench.frames()
			size := 0
			for _, frame := range frames {
				size += len(frame)
			}
			server := serveStreams(b, cycle(frames), cycle(frames))
			sent := server.deployments
			if bench.kind == podKind {
				sent = server.pods
			}
			t := benchTracer(b, server, bench.config)
			b.SetBytes(int64(size / len(frames)))
			b.ResetTimer()
			sent.send(b.N)
			awaitEvents(b, t, bench.kind, int64(b.N))
			b.StopTimer()
			b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "events/s")
			stats := t.log.Stats()
			b.ReportMetric(float64(stats.Appended), "recorded")
			b.ReportMetric(float64(stats.Bytes)/float64(stats.Appended), "disk-B/entry")
		})
	}
}
