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

// Client asks one API server. Any number of Watchers share it, and with it its connections. It is safe for concurrent use.
type Client struct {
	http   *http.Client
	base   *url.URL
	accept string
	links  *links
}

// What the API server is asked to answer with. Those that don't know how to leave out all but the metadata send whole objects.
const (
	acceptWhole    = "application/json"
	acceptMetadata = "application/json;as=PartialObjectMetadata;g=meta.k8s.io;v=v1," + acceptWhole
)

// NewClient makes a Client of an API server. The config's rate limit and timeout don't apply: a Watcher asks seldom, and for long.
// The clock is that of its Watchers; nil is the real one.
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

// dialTimeout is how long it may take to connect, and after what time of silence the system looks
// whether a connection is alive: as client-go has it.
const dialTimeout = 30 * time.Second

// Ping asks the API server for anything, and returns when it answered. Watches on the same
// connection are known to be alive then.
func (c *Client) Ping(ctx context.Context) error {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, c.base.JoinPath("/version").String(), nil)
	if err != nil {
		return fmt.Errorf("ask the API server: %w", err)
	}
	response, err := c.http.Do(request)
	if err != nil {
		return fmt.Errorf("ask the API server: %w", err)
	}
	// Whatever it says, it is there.
	_, err = io.Copy(io.Discard, io.LimitReader(response.Body, maxRefusal))
	return errors.Join(err, response.Body.Close())
}

// MetadataOnly gives a client of the same API server, with the same connections, that gets no more of objects than their metadata: they are of
// the kind PartialObjectMetadata then, where the API server can do that, as it can for all kinds of its own and of CustomResourceDefinitions.
func (c *Client) MetadataOnly() *Client {
	metadata := *c
	metadata.accept = acceptMetadata
	return &metadata
}

// answer is the body of a good answer. It must be closed.
type answer struct {
	body   io.ReadCloser
	dog    *watchdog
	cancel context.CancelCauseFunc
	// link is the connection that it comes on; nil if that is not known.
	link *link
	// horizon is told of Reads; nil: of what is read, nothing follows.
	horizon *horizon
}

// maxRefusal is how much of an answer other than OK is read.
const maxRefusal = 64 << 10

// get asks for a path. When nothing comes for the time of silence, it ends the request, or the reading of its answer. Errors begin with doing.
func (c *Client) get(
	ctx context.Context, clk clock.Clock, doing, path string, query url.Values, silence time.Duration,
) (*answer, *ending) {
	at := c.base.JoinPath(path)
	at.RawQuery = query.Encode()
	ctx, cancel := context.WithCancelCause(ctx)
	var conn net.Conn
	ctx = httptrace.WithClientTrace(ctx, &httptrace.ClientTrace{GotConn: func(info httptrace.GotConnInfo) { conn = info.Conn }})
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, at.String(), nil)
	if err != nil {
		cancel(nil)
		return nil, failed(fmt.Errorf("%s: %w", doing, err))
	}
	request.Header.Set("Accept", c.accept)
	dog := newWatchdog(clk, silence, cancel)
	response, err := c.http.Do(request) //nolint:bodyclose // the answer closes it
	dog.disarm()
	if err != nil {
		err = dog.because(err)
		dog.close()
		cancel(nil)
		return nil, broken(doing, err)
	}
	a := &answer{body: response.Body, dog: dog, cancel: cancel, link: c.links.of(conn)}
	if response.StatusCode == http.StatusOK {
		return a, nil
	}
	defer a.close()
	// An error while reading it leaves less to tell, and nothing else.
	body, _ := io.ReadAll(io.LimitReader(a, maxRefusal))
	return nil, refusal(doing, response.StatusCode, response.Header, body)
}

// Read reads from the body. If nothing came for too long, its error is errSilent.
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
		err = a.dog.because(err)
	}
	return n, err
}

// follow has the Reads from here on be those of a watch that follows what happens.
func (a *answer) follow(h *horizon) {
	h.follow(a.link)
	a.horizon = h
}

// close ends the answer, read or not.
func (a *answer) close() {
	a.dog.close()
	a.cancel(nil)
	a.body.Close()
}
