package app

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"os"
	"strings"
	"time"

	corev1client "k8s.io/client-go/kubernetes/typed/core/v1"

	"simkube.io/simkube/internal/tracerclient"
)

// dialTimeout is how long to wait for a connection on this machine.
const dialTimeout = 2 * time.Second

// tracerConnection is a tracer and the connection to it.
type tracerConnection struct {
	client *tracerclient.Client
	// name is how messages refer to the tracer.
	name      string
	forwarded bool
	close     func() error
}

// connectTracer finds the tracer: at the given address, on this machine, or in the cluster.
func (p *program) connectTracer(ctx context.Context, opts exportOptions) (*tracerConnection, error) {
	token, err := opts.givenToken()
	if err != nil {
		return nil, err
	}
	if opts.isAddressGiven {
		if token != nil && isReadable(opts.address) {
			p.warnf("the token is sent to %s unencrypted, and can be intercepted: use https:// or a port-forward", opts.address)
		}
		return addressedTracer(opts, token)
	}
	localErr := answers(ctx, opts.address)
	if localErr == nil {
		return addressedTracer(opts, token)
	}
	if ctx.Err() != nil {
		return nil, context.Cause(ctx)
	}
	tracer, err := p.forwardedTracer(ctx, opts, token)
	switch {
	case err == nil || ctx.Err() != nil:
		return tracer, err
	case errors.Is(err, errNoKubeconfig):
		return nil, hint(fmt.Errorf("find the tracer: nothing responds at %s (%w), and without a kubeconfig it cannot be found in a cluster", opts.address, localErr),
			"set its address with --tracer-address, or its cluster with --kubeconfig")
	case errors.Is(err, tracerclient.ErrNoTracer):
		return nil, hint(fmt.Errorf("find the tracer: nothing responds at %s, and in the cluster: %w", opts.address, err),
			"install one (docs/tracer.md), or set its location with --tracer-namespace and --tracer-service, or --tracer-address")
	}
	return nil, hint(fmt.Errorf("find the tracer: nothing responds at %s, and in the cluster: %w", opts.address, err),
		"set its location with --tracer-namespace and --tracer-service, or --tracer-address, and its cluster with --kubeconfig and --context")
}

// addressedTracer returns the tracer at an address. It only sends the token that the user set for
// it.
func addressedTracer(opts exportOptions, token func(context.Context) (string, error)) (*tracerConnection, error) {
	transport := &http.Transport{Proxy: http.ProxyFromEnvironment, DisableCompression: true}
	if opts.caFile != "" {
		data, err := os.ReadFile(opts.caFile)
		if err != nil {
			return nil, fmt.Errorf("read --tracer-ca-file %s: %w", opts.caFile, reason(err))
		}
		pool := x509.NewCertPool()
		if !pool.AppendCertsFromPEM(data) {
			return nil, fmt.Errorf("read --tracer-ca-file %s: it has no certificate", opts.caFile)
		}
		transport.TLSClientConfig = &tls.Config{RootCAs: pool, MinVersion: tls.VersionTLS12}
	}
	return &tracerConnection{
		client: &tracerclient.Client{URL: opts.address, Transport: transport, Token: token},
		name:   opts.address,
		close: func() error {
			transport.CloseIdleConnections()
			return nil
		},
	}, nil
}

// forwardedTracer returns the tracer in the cluster.
func (p *program) forwardedTracer(ctx context.Context, opts exportOptions, token func(context.Context) (string, error)) (*tracerConnection, error) {
	config, err := p.kubeConfig(opts.kube)
	if err != nil {
		return nil, err
	}
	transport, err := newClusterTransport(config)
	if err != nil {
		return nil, err
	}
	client, err := corev1client.NewForConfigAndClient(config, transport.client)
	if err != nil {
		return nil, fmt.Errorf("use the kubeconfig: %w", err)
	}
	where := tracerclient.Where{Namespace: opts.tracerNamespace, Service: opts.tracerName}
	if where.Namespace == "" && opts.kube.Namespace != nil {
		where.Namespace = *opts.kube.Namespace
	}
	pod, err := tracerclient.Find(ctx, client, where)
	if err != nil {
		transport.close()
		return nil, err
	}
	forward, err := tracerclient.NewForward(ctx, config, client, pod)
	if err != nil {
		transport.close()
		return nil, err
	}
	if token == nil {
		token = tracerclient.ClusterToken(config, client, pod)
	}
	return &tracerConnection{
		client:    &tracerclient.Client{URL: forward.URL(), Transport: forward.Transport(), Token: token},
		name:      "the pod " + pod.Namespace + "/" + pod.Name,
		forwarded: true,
		close: func() error {
			defer transport.close()
			return forward.Close()
		},
	}, nil
}

// givenToken returns a function that returns the token that the user set, or nil if there is none.
func (o *exportOptions) givenToken() (func(context.Context) (string, error), error) {
	token := o.token
	if o.tokenFile != "" {
		data, err := os.ReadFile(o.tokenFile)
		if err != nil {
			return nil, fmt.Errorf("read --token-file %s: %w", o.tokenFile, reason(err))
		}
		if token = strings.TrimSpace(string(data)); token == "" {
			return nil, fmt.Errorf("read --token-file %s: it is empty", o.tokenFile)
		}
	}
	if token == "" {
		return nil, nil
	}
	return func(context.Context) (string, error) { return token, nil }, nil
}

// isReadable reports whether others could read what is sent to an address: it is on another
// machine, and without TLS.
func isReadable(address string) bool {
	u, err := url.Parse(address)
	if err != nil || u.Scheme != "http" || strings.EqualFold(u.Hostname(), "localhost") {
		return false
	}
	ip := net.ParseIP(u.Hostname())
	return ip == nil || !ip.IsLoopback()
}

// answers returns an error unless something accepts connections at an address.
func answers(ctx context.Context, address string) error {
	u, err := url.Parse(address)
	if err != nil {
		return err
	}
	conn, err := (&net.Dialer{Timeout: dialTimeout}).DialContext(ctx, "tcp", u.Host)
	if err != nil {
		return err
	}
	return conn.Close()
}
