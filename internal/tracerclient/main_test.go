package tracerclient

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"

	"go.uber.org/goleak"
	authenticationv1 "k8s.io/api/authentication/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/labels"
	corev1client "k8s.io/client-go/kubernetes/typed/core/v1"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/portforward"
	"k8s.io/streaming/pkg/httpstream"
	"k8s.io/streaming/pkg/httpstream/spdy"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// cluster is an API server with the requests that this package sends.
type cluster struct {
	services []corev1.Service
	pods     []corev1.Pod
	// ports are the addresses of the ports of all pods.
	ports map[string]string
	// noTokens rejects token requests.
	noTokens bool

	server *httptest.Server
	mu     sync.Mutex // guards asked
	asked  []string
}

// start starts the API server.
func (c *cluster) start(t *testing.T) (*rest.Config, corev1client.CoreV1Interface) {
	t.Helper()
	mux := http.NewServeMux()
	mux.HandleFunc("GET /api/v1/namespaces/{ns}/services/{name}", func(w http.ResponseWriter, r *http.Request) {
		for i := range c.services {
			if s := &c.services[i]; s.Namespace == r.PathValue("ns") && s.Name == r.PathValue("name") {
				answer(w, http.StatusOK, s)
				return
			}
		}
		refuse(w, http.StatusNotFound, metav1.StatusReasonNotFound)
	})
	list := func(w http.ResponseWriter, r *http.Request) {
		selector, err := labels.Parse(r.URL.Query().Get("labelSelector"))
		if err != nil {
			refuse(w, http.StatusBadRequest, metav1.StatusReasonBadRequest)
			return
		}
		found := corev1.PodList{}
		for i := range c.pods {
			if p := &c.pods[i]; (r.PathValue("ns") == "" || r.PathValue("ns") == p.Namespace) && selector.Matches(labels.Set(p.Labels)) {
				found.Items = append(found.Items, *p)
			}
		}
		answer(w, http.StatusOK, found)
	}
	mux.HandleFunc("GET /api/v1/pods", list)
	mux.HandleFunc("GET /api/v1/namespaces/{ns}/pods", list)
	mux.HandleFunc("POST /api/v1/namespaces/{ns}/serviceaccounts/{name}/token", func(w http.ResponseWriter, r *http.Request) {
		c.note("token of " + r.PathValue("ns") + "/" + r.PathValue("name"))
		if c.noTokens {
			refuse(w, http.StatusForbidden, metav1.StatusReasonForbidden)
			return
		}
		answer(w, http.StatusCreated, authenticationv1.TokenRequest{Status: authenticationv1.TokenRequestStatus{Token: "token-of-" + r.PathValue("name")}})
	})
	// It supports only SPDY and rejects WebSockets, so that the client must fall back.
	mux.HandleFunc("POST /api/v1/namespaces/{ns}/pods/{name}/portforward", func(w http.ResponseWriter, r *http.Request) {
		c.note("forward to " + r.PathValue("ns") + "/" + r.PathValue("name"))
		c.forward(w, r)
	})
	mux.HandleFunc("GET /api/v1/namespaces/{ns}/pods/{name}/portforward", func(w http.ResponseWriter, _ *http.Request) {
		refuse(w, http.StatusMethodNotAllowed, metav1.StatusReasonMethodNotAllowed)
	})
	c.server = httptest.NewServer(mux)
	t.Cleanup(c.server.Close)
	config := &rest.Config{Host: c.server.URL}
	transport := &http.Transport{}
	t.Cleanup(transport.CloseIdleConnections)
	client, err := corev1client.NewForConfigAndClient(config, &http.Client{Transport: transport})
	if err != nil {
		t.Fatal(err)
	}
	return config, client
}

func (c *cluster) note(what string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.asked = append(c.asked, what)
}

// forward acts as a kubelet: for each pair of streams, it connects to a port.
func (c *cluster) forward(w http.ResponseWriter, r *http.Request) {
	if _, err := httpstream.Handshake(r, w, []string{portforward.PortForwardProtocolV1Name}); err != nil {
		return
	}
	var (
		copies   sync.WaitGroup
		mu       sync.Mutex
		failures = map[string]httpstream.Stream{}
	)
	connection := spdy.NewResponseUpgrader().UpgradeResponse(w, r, func(stream httpstream.Stream, replySent <-chan struct{}) error {
		id := stream.Headers().Get(corev1.PortForwardRequestIDHeader)
		mu.Lock()
		defer mu.Unlock()
		if stream.Headers().Get(corev1.StreamType) == corev1.StreamTypeError {
			failures[id] = stream
			return nil
		}
		failure := failures[id]
		copies.Go(func() {
			<-replySent
			c.connect(stream, failure)
		})
		return nil
	})
	if connection == nil {
		return
	}
	<-connection.CloseChan()
	_ = connection.Close()
	copies.Wait()
}

func (c *cluster) connect(data, failure httpstream.Stream) {
	defer failure.Close()
	defer data.Close()
	port := data.Headers().Get(corev1.PortHeader)
	conn, err := net.Dial("tcp", c.ports[port]) //nolint:noctx // it ends with the stream
	if err != nil {
		fmt.Fprintf(failure, "connect to port %s: refused", port)
		_ = data.Reset() // nobody reads what was sent
		return
	}
	defer conn.Close()
	var sent sync.WaitGroup
	sent.Go(func() {
		_, _ = io.Copy(conn, data)
		_ = conn.(*net.TCPConn).CloseWrite()
	})
	_, _ = io.Copy(data, conn)
	_ = data.Reset()
	sent.Wait()
}

func answer(w http.ResponseWriter, code int, body any) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(code)
	if err := json.NewEncoder(w).Encode(body); err != nil {
		panic(errors.Join(http.ErrAbortHandler, err))
	}
}

func refuse(w http.ResponseWriter, code int32, reason metav1.StatusReason) {
	answer(w, int(code), metav1.Status{
		TypeMeta: metav1.TypeMeta{Kind: "Status", APIVersion: "v1"}, Status: metav1.StatusFailure,
		Code: code, Reason: reason, Message: strings.ToLower(string(reason)),
	})
}

// newPod returns a tracer's pod.
func newPod(namespace, name string, phase corev1.PodPhase, ready corev1.ConditionStatus) corev1.Pod {
	return corev1.Pod{
		ObjectMeta: metav1.ObjectMeta{Namespace: namespace, Name: name, Labels: map[string]string{"app.kubernetes.io/name": "sk-tracer"}},
		Spec: corev1.PodSpec{Containers: []corev1.Container{{Name: "c", Ports: []corev1.ContainerPort{
			{Name: "metrics", ContainerPort: 9000}, {Name: "http", ContainerPort: 7780},
		}}}},
		Status: corev1.PodStatus{Phase: phase, Conditions: []corev1.PodCondition{{Type: corev1.PodReady, Status: ready}}},
	}
}
