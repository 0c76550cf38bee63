package tracerclient

import (
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"net"
	"net/http"
	"slices"
	"strconv"
	"sync"
	"sync/atomic"
	"time"

	corev1 "k8s.io/api/core/v1"

	corev1client "k8s.io/client-go/kubernetes/typed/core/v1"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/portforward"
	"k8s.io/client-go/transport/spdy"
	"k8s.io/streaming/pkg/httpstream"
)

// Forward sends requests to a pod through the API server, like kubectl port-forward, but without a
// local port that others could use. It must be closed. It is safe for concurrent use.
type Forward struct {
	pod        Pod
	connection httpstream.Connection
	transport  *http.Transport
	requests   atomic.Int64

	mu     sync.Mutex // guards what is below
	open   map[*podConn]struct{}
	closed bool
}

// NewForward connects to a pod. ctx limits the attempt, but not the connection.
func NewForward(ctx context.Context, config *rest.Config, client corev1client.CoreV1Interface, pod Pod) (*Forward, error) {
	connection, err := dial(ctx, config, client, pod)
	if err != nil {
		return nil, fmt.Errorf("forward a port to the pod %s/%s: %w", pod.Namespace, pod.Name, err)
	}
	f := &Forward{pod: pod, connection: connection, open: map[*podConn]struct{}{}}
	f.transport = &http.Transport{DialContext: f.dialPod, DisableCompression: true}
	return f, nil
}

// URL returns the URL for a Client. The host is ignored.
func (f *Forward) URL() string { return "http://localhost:" + strconv.Itoa(int(f.pod.Port)) }

// Transport returns the transport for a Client.
func (f *Forward) Transport() http.RoundTripper { return f.transport }

// Close closes all connections to the pod.
func (f *Forward) Close() error {
	f.mu.Lock()
	f.closed = true
	open := slices.Collect(maps.Keys(f.open))
	f.mu.Unlock()
	for _, conn := range open {
		_ = conn.Close() // closed with the connection below, at the latest
	}
	f.transport.CloseIdleConnections()
	return f.connection.Close()
}

// dial connects to the pod over a WebSocket, or over SPDY if the API server or a proxy before it
// does not support that.
func dial(ctx context.Context, config *rest.Config, client corev1client.CoreV1Interface, pod Pod) (httpstream.Connection, error) {
	// The dialers do not accept contexts.
	config = rest.CopyConfig(config)
	config.Wrap(func(next http.RoundTripper) http.RoundTripper {
		return roundTripper(func(r *http.Request) (*http.Response, error) { return next.RoundTrip(r.WithContext(ctx)) })
	})
	url := client.RESTClient().Post().Resource("pods").Namespace(pod.Namespace).Name(pod.Name).SubResource("portforward").URL()
	transport, upgrader, err := spdy.RoundTripperFor(config)
	if err != nil {
		return nil, err
	}
	webSocket, err := portforward.NewSPDYOverWebsocketDialerForStreaming(url, config)
	if err != nil {
		return nil, err
	}
	dialer := portforward.NewFallbackDialerForStreaming(webSocket, spdy.NewDialerForStreaming(upgrader, &http.Client{Transport: transport}, http.MethodPost, url),
		func(err error) bool { return httpstream.IsUpgradeFailure(err) || httpstream.IsHTTPSProxyError(err) })
	connection, protocol, err := dialer.Dial(portforward.PortForwardProtocolV1Name)
	if err != nil {
		return nil, err
	}
	if protocol != portforward.PortForwardProtocolV1Name {
		return nil, errors.Join(fmt.Errorf("the API server uses the protocol %q instead of %q", protocol, portforward.PortForwardProtocolV1Name), connection.Close())
	}
	return connection, nil
}

// dialPod opens a connection to the pod's port, ignoring the address. It consists of two streams,
// one of which is for errors.
func (f *Forward) dialPod(context.Context, string, string) (net.Conn, error) {
	headers := http.Header{}
	headers.Set(corev1.PortHeader, strconv.Itoa(int(f.pod.Port)))
	headers.Set(corev1.PortForwardRequestIDHeader, strconv.FormatInt(f.requests.Add(1), 10))
	headers.Set(corev1.StreamType, corev1.StreamTypeError)
	failure, err := f.connection.CreateStream(headers)
	if err != nil {
		return nil, fmt.Errorf("open a connection to the pod: %w", err)
	}
	// Nothing is written to the error stream.
	_ = failure.Close()
	headers.Set(corev1.StreamType, corev1.StreamTypeData)
	data, err := f.connection.CreateStream(headers)
	if err != nil {
		return nil, errors.Join(fmt.Errorf("open a connection to the pod: %w", err), failure.Reset())
	}
	conn := &podConn{forward: f, data: data, failure: failure}
	f.mu.Lock()
	closed := f.closed
	f.open[conn] = struct{}{}
	f.mu.Unlock()
	if closed {
		return nil, errors.Join(net.ErrClosed, conn.Close())
	}
	return conn, nil
}

// podConn is a connection to a pod's port.
type podConn struct {
	forward       *Forward
	data, failure httpstream.Stream
	closed        atomic.Bool
}

// Read reads from the pod. At the end it reads the error stream.
func (c *podConn) Read(p []byte) (int, error) {
	n, err := c.data.Read(p)
	if !errors.Is(err, io.EOF) || c.closed.Load() {
		return n, err
	}
	message, failureErr := io.ReadAll(io.LimitReader(c.failure, maxErrorBytes))
	if len(message) > 0 {
		return n, fmt.Errorf("the pod %s/%s: %s", c.forward.pod.Namespace, c.forward.pod.Name, message)
	}
	if failureErr != nil {
		return n, failureErr
	}
	return n, err
}

func (c *podConn) Write(p []byte) (int, error) { return c.data.Write(p) }

func (c *podConn) Close() error {
	if c.closed.Swap(true) {
		return nil
	}
	c.forward.mu.Lock()
	delete(c.forward.open, c)
	c.forward.mu.Unlock()
	err := errors.Join(c.data.Reset(), c.failure.Reset())
	c.forward.connection.RemoveStreams(c.data, c.failure)
	return err
}

func (c *podConn) LocalAddr() net.Addr { return podAddr("") }
func (c *podConn) RemoteAddr() net.Addr {
	return podAddr(c.forward.pod.Namespace + "/" + c.forward.pod.Name)
}

// Deadlines are not supported; http.Transport sets none.
func (c *podConn) SetDeadline(time.Time) error      { return nil }
func (c *podConn) SetReadDeadline(time.Time) error  { return nil }
func (c *podConn) SetWriteDeadline(time.Time) error { return nil }

// podAddr is the address of a pod.
type podAddr string

func (podAddr) Network() string  { return "pod" }
func (a podAddr) String() string { return string(a) }
