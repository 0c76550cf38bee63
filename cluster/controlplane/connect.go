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

	"simkube.io/simkube/cluster/internal/virtualtime"
)

// inProcessProvider is the name under which kubeconfigs ask for the way through this process. Kubernetes has such providers
// for authentication; being round trippers they can do without the network.
const inProcessProvider = "simkube-in-process"

// connectInProcess has the components, which are clients of the API server at address, reach it without the network.
// The API server's own clients are no exception in virtual time; on the wall clock they can't be got at.
func (cp *ControlPlane) connectInProcess(address string) error {
	err := rest.RegisterAuthProviderPlugin(inProcessProvider, func(string, map[string]string, rest.AuthProviderConfigPersister) (rest.AuthProvider, error) {
		return throughProcess{cp.transport}, nil
	})
	if err != nil {
		return fmt.Errorf("connect the components: %w", err)
	}
	virtualtime.RouteHTTP(func(req *http.Request) http.RoundTripper {
		if req.URL.Host == address {
			return cp.transport
		}
		return nowhere{}
	})
	return nil
}

// throughProcess takes requests to the API server's handler.
type throughProcess struct{ transport http.RoundTripper }

var _ rest.AuthProvider = throughProcess{}

// WrapTransport implements rest.AuthProvider.
func (p throughProcess) WrapTransport(http.RoundTripper) http.RoundTripper { return p.transport }

// Login implements rest.AuthProvider.
func (throughProcess) Login() error { return nil }

// nowhere is where requests to others go in virtual time: to a scheduler extender, or a webhook that converts custom resources.
type nowhere struct{}

// errNoNetwork is returned for requests to others.
var errNoNetwork = errors.New("there is no network in virtual time: a program outside would see time jump; use the wall clock (--time real)")

// RoundTrip implements http.RoundTripper.
func (nowhere) RoundTrip(req *http.Request) (*http.Response, error) {
	if req.Body != nil {
		_ = req.Body.Close()
	}
	return nil, fmt.Errorf("ask %s: %w", req.URL.Host, errNoNetwork)
}

// listen opens the API server's port. In virtual time there is none: whoever came from without would see time
// run a thousand times faster, and what the kernel does in between would come at no particular time.
func listen(ctx context.Context, port int) (net.Listener, error) {
	if virtualtime.Enabled {
		return newSilence(port), nil
	}
	return (&net.ListenConfig{}).Listen(ctx, "tcp", net.JoinHostPort("127.0.0.1", strconv.Itoa(port)))
}

// silentPort is a port like any other: nobody listens on it.
const silentPort = 443

// silence is a listener that nobody reaches.
type silence struct {
	addr   net.Addr
	closed chan struct{}
	once   *sync.Once
}

func newSilence(port int) silence {
	return silence{
		addr:   &net.TCPAddr{IP: net.IPv4(127, 0, 0, 1), Port: cmp.Or(port, silentPort)},
		closed: make(chan struct{}),
		once:   &sync.Once{},
	}
}

// Accept waits for Close.
func (s silence) Accept() (net.Conn, error) {
	<-s.closed
	return nil, net.ErrClosed
}

func (s silence) Close() error {
	s.once.Do(func() { close(s.closed) })
	return nil
}

func (s silence) Addr() net.Addr { return s.addr }
