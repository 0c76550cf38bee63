package watch

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptrace"
	"net/url"
	"time"

	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/client-go/rest"
	"k8s.io/utils/clock"
)

// Client sends requests to one API server. Any number of Watchers may share it and its connections.
// It is safe for concurrent use.
type Client struct {
	http   *http.Client
	base   *url.URL
	accept string
	links  *links
}

// Values of the Accept header. API servers that cannot reduce objects to their metadata send whole
// objects.
const (
	acceptWhole    = "application/json"
	acceptMetadata = "application/json;as=PartialObjectMetadata;g=meta.k8s.io;v=v1," + acceptWhole
)

// NewClient returns a Client of an API server. The rate limit and the timeout of the config are not
// used, since a Watcher sends few and long requests. The clock is that of its Watchers; nil means
// the real clock.
func NewClient(config *rest.Config, clk clock.PassiveClock) (*Client, error) {
	config = rest.CopyConfig(config)
	if clk == nil {
		clk = clock.RealClock{}
	}
	links := &links{clock: clk, dial: config.Dial, open: map[string]*link{}}
	if links.dial == nil {
		links.dial = (&net.Dialer{Timeout: dialTimeout, KeepAlive: dialTimeout}).DialContext
	}
	config.Dial = links.connect
	config.Timeout = 0
	config.APIPath, config.GroupVersion = "", &schema.GroupVersion{}
	if config.UserAgent == "" {
		config.UserAgent = rest.DefaultKubernetesUserAgent()
	}
	client, err := rest.HTTPClientFor(config)
	if err != nil {
		return nil, fmt.Errorf("make HTTP client: %w", err)
	}
	base, _, err := rest.DefaultServerUrlFor(config)
	if err != nil {
		return nil, fmt.Errorf("read address of the API server: %w", err)
	}
	return &Client{http: client, base: base, accept: acceptWhole, links: links}, nil
}

// dialTimeout is the timeout of a connect, and the interval of TCP keep-alives, as in client-go.
const dialTimeout = 30 * time.Second

// Ping sends a request to the API server and returns when it has answered, with whatever status.
// This proves that the connection, which watches share, is alive.
func (c *Client) Ping(ctx context.Context) error {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, c.base.JoinPath("/version").String(), nil)
	if err != nil {
		return fmt.Errorf("ask the API server: %w", err)
	}
	response, err := c.http.Do(request)
	if err != nil {
		return fmt.Errorf("ask the API server: %w", err)
	}
	// Any status will do.
	_, err = io.Copy(io.Discard, io.LimitReader(response.Body, maxRefusal))
	return errors.Join(err, response.Body.Close())
}

// MetadataOnly returns a client of the same API server, with the same connections, that requests
// only the metadata of objects. The objects then have the kind PartialObjectMetadata if the API
// server supports this, as it does for its own kinds and those of CustomResourceDefinitions.
func (c *Client) MetadataOnly() *Client {
	metadata := *c
	metadata.accept = acceptMetadata
	return &metadata
}

// answer is the body of a response with status OK. It must be closed.
type answer struct {
	body   io.ReadCloser
	dog    *watchdog
	cancel context.CancelCauseFunc
	// link is the connection of the response; nil if it is not known.
	link *link
	// horizon is notified of Reads; nil if the response is not a watch.
	horizon *horizon
}

// maxRefusal is the maximum number of bytes read of a response with a status other than OK.
const maxRefusal = 64 << 10

// get requests a path. If no data arrives for the time of silence, it cancels the request, or the
// reading of the response. Errors begin with action.
func (c *Client) get(
	ctx context.Context, clk clock.Clock, action, path string, query url.Values, silence time.Duration,
) (*answer, *ending) {
	at := c.base.JoinPath(path)
	at.RawQuery = query.Encode()
	ctx, cancel := context.WithCancelCause(ctx)
	var conn net.Conn
	ctx = httptrace.WithClientTrace(ctx, &httptrace.ClientTrace{GotConn: func(info httptrace.GotConnInfo) { conn = info.Conn }})
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, at.String(), nil)
	if err != nil {
		cancel(nil)
		return nil, failed(fmt.Errorf("%s: %w", action, err))
	}
	request.Header.Set("Accept", c.accept)
	dog := newWatchdog(clk, silence, cancel)
	response, err := c.http.Do(request) //nolint:bodyclose // closed by answer.close
	dog.disarm()
	if err != nil {
		err = dog.cause(err)
		dog.close()
		cancel(nil)
		return nil, broken(action, err)
	}
	a := &answer{body: response.Body, dog: dog, cancel: cancel, link: c.links.of(conn)}
	if response.StatusCode == http.StatusOK {
		return a, nil
	}
	defer a.close()
	// A partial body only makes the error less detailed.
	body, _ := io.ReadAll(io.LimitReader(a, maxRefusal))
	return nil, refusal(action, response.StatusCode, response.Header, body)
}

// Read reads from the body. If no data arrived for too long, its error is errSilent.
func (a *answer) Read(p []byte) (int, error) {
	a.dog.arm()
	if a.horizon != nil {
		a.horizon.wait()
	}
	n, err := a.body.Read(p)
	if a.horizon != nil {
		a.horizon.woken()
	}
	a.dog.disarm()
	if err != nil && err != io.EOF { //nolint:errorlint // readers return it as it is
		err = a.dog.cause(err)
	}
	return n, err
}

// follow makes the following Reads those of a watch for h.
func (a *answer) follow(h *horizon) {
	h.follow(a.link)
	a.horizon = h
}

// close closes the response, even if it was not read to its end.
func (a *answer) close() {
	a.dog.close()
	a.cancel(nil)
	a.body.Close()
}
