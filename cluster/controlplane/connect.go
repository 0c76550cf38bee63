package controlplane

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"strconv"
	"sync"

	"k8s.io/client-go/rest"
	clientcmdapi "k8s.io/client-go/tools/clientcmd/api"

	"simkube.io/simkube/cluster/internal/virtualtime"
)

const (
	// inProcessProvider is the name by which kubeconfigs ask for requests to stay in this process.
	// Kubernetes has such providers for authentication; as they wrap the transport, they can do
	// without the network.
	inProcessProvider = "simkube-in-process"
	// componentKey is the provider's setting that holds a component's name.
	componentKey = "component"
)

// inProcess returns what a component's kubeconfig says to keep its requests in this process.
func inProcess(component string) *clientcmdapi.AuthProviderConfig {
	return &clientcmdapi.AuthProviderConfig{Name: inProcessProvider, Config: map[string]string{componentKey: component}}
}

// connectInProcess has the components, which are clients of the API server at address, reach it
// without the network. In virtual time that includes the API server's own clients, which can't be
// reached on the wall clock.
func (cp *ControlPlane) connectInProcess(address string) error {
	provider := func(_ string, config map[string]string, _ rest.AuthProviderConfigPersister) (rest.AuthProvider, error) {
		for _, c := range cp.clients {
			if c.Name == config[componentKey] {
				return inProcessAuth{c.transport}, nil
			}
		}
		return nil, fmt.Errorf("unknown component %q", config[componentKey])
	}
	if err := rest.RegisterAuthProviderPlugin(inProcessProvider, provider); err != nil {
		return fmt.Errorf("connect the components: %w", err)
	}
	virtualtime.RouteHTTP(func(req *http.Request) http.RoundTripper {
		if req.URL.Host == address {
			return cp.transport
		}
		return noNetwork{}
	})
	return nil
}

// inProcessAuth sends requests through a transport of this process.
type inProcessAuth struct{ transport http.RoundTripper }

var _ rest.AuthProvider = inProcessAuth{}

// WrapTransport implements rest.AuthProvider.
func (p inProcessAuth) WrapTransport(http.RoundTripper) http.RoundTripper { return p.transport }

// Login implements rest.AuthProvider.
func (inProcessAuth) Login() error { return nil }

// noNetwork fails the requests in virtual time to others than the API server, such as a scheduler
// extender or a webhook that converts custom resources.
type noNetwork struct{}

// errNoNetwork is returned for such requests.
var errNoNetwork = errors.New("there is no network in virtual time: a program outside would see time jump; use the wall clock (--time real)")

// RoundTrip implements http.RoundTripper.
func (noNetwork) RoundTrip(req *http.Request) (*http.Response, error) {
	if req.Body != nil {
		_ = req.Body.Close()
	}
	return nil, fmt.Errorf("ask %s: %w", req.URL.Host, errNoNetwork)
}

// listen opens the API server's port. In virtual time it listens on none: a client outside would
// see time pass a thousand times faster, and its requests would arrive at random times.
func listen(ctx context.Context, port int) (net.Listener, error) {
	if virtualtime.Enabled {
		return newClosedPort(port), nil
	}
	return (&net.ListenConfig{}).Listen(ctx, "tcp", net.JoinHostPort("127.0.0.1", strconv.Itoa(port)))
}

// closedPort is a listener without connections.
type closedPort struct {
	addr   net.Addr
	closed chan struct{}
	once   *sync.Once
}

// defaultClosedPort is the port in the address of a closedPort for which none was chosen.
const defaultClosedPort = 443

func newClosedPort(port int) closedPort {
	return closedPort{
		addr:   &net.TCPAddr{IP: net.IPv4(127, 0, 0, 1), Port: cmp.Or(port, defaultClosedPort)},
		closed: make(chan struct{}),
		once:   &sync.Once{},
	}
}

// Accept waits for Close.
func (p closedPort) Accept() (net.Conn, error) {
	<-p.closed
	return nil, net.ErrClosed
}

// Close implements net.Listener.
func (p closedPort) Close() error {
	p.once.Do(func() { close(p.closed) })
	return nil
}

// Addr implements net.Listener.
func (p closedPort) Addr() net.Addr { return p.addr }
