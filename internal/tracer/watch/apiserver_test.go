package watch

import (
	"cmp"
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"k8s.io/client-go/rest"
)

// apiServer is an API server that answers requests one by one from a script. Its connections are in
// memory, so that it works in a bubble of testing/synctest.
//
// An answer is a list of steps, one per string:
//
//	added NAME VERSION, modified NAME VERSION, deleted NAME VERSION
//	bookmark VERSION, end VERSION      the latter ends a streamed list
//	error CODE                         an ERROR frame
//	page VERSION TOKEN NAME=VERSION..  a page of a list; the token is - for the last page
//	status CODE [SECONDS] [MESSAGE]    a status other than OK, with Retry-After unless SECONDS is 0
//	raw TEXT                           the text
//	wait DURATION                      a pause
//	hang DURATION                      a pause before the header
//	close, drop                        the regular end, and a broken connection
//
// After the last step the answer stays open without data, and so do all requests after the last
// answer.
type apiServer struct {
	began time.Time

	mu        sync.Mutex // guards the following
	discovery [][]string
	answers   [][]string
	asked     []string
	at        []time.Duration
	accepted  []string
}

// resources is the answer to the discovery of resources, unless the script has another one.
const resources = `{"kind":"APIResourceList","apiVersion":"v1","groupVersion":"apps/v1","resources":[
	{"name":"widgets/scale","kind":"Widget","namespaced":true,"verbs":["get"]},
	{"name":"widgets","kind":"Widget","namespaced":true,"verbs":["get","list","watch"]},
	{"name":"gadgets","kind":"Gadget","namespaced":true,"verbs":["create"]}]}`

// ServeHTTP implements http.Handler.
func (s *apiServer) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	query := r.URL.Query()
	isDiscovery := !strings.HasSuffix(r.URL.Path, "/widgets")
	asked := "list"
	switch {
	case isDiscovery:
		asked = "find"
	case query.Get("sendInitialEvents") == "true":
		asked = "stream"
	case query.Get("watch") == "true":
		asked = "watch " + query.Get("resourceVersion")
	case query.Get("limit") == "":
		asked = "list all"
	case query.Has("continue"):
		asked = "list " + query.Get("continue")
	}
	s.mu.Lock()
	s.asked = append(s.asked, asked)
	s.at = append(s.at, time.Since(s.began))
	s.accepted = append(s.accepted, r.Header.Get("Accept"))
	from := &s.answers
	if isDiscovery {
		from = &s.discovery
	}
	var steps []string
	if len(*from) > 0 {
		steps, *from = (*from)[0], (*from)[1:]
	} else if isDiscovery {
		steps = []string{"raw " + resources, "close"}
	}
	s.mu.Unlock()
	flusher := w.(http.Flusher)
	if len(steps) == 0 || !strings.HasPrefix(steps[0], "status") && !strings.HasPrefix(steps[0], "hang") {
		flusher.Flush()
	}
	for _, step := range steps {
		if !play(w, r, step) {
			return
		}
		flusher.Flush()
	}
	<-r.Context().Done()
}

// play runs a step, and reports whether the answer continues.
func play(w http.ResponseWriter, r *http.Request, step string) bool {
	verb, rest, _ := strings.Cut(step, " ")
	words := append(strings.Fields(rest), "", "", "")
	frame := func(event, object string) { fmt.Fprintf(w, `{"type":%q,"object":%s}`+"\n", event, object) }
	switch verb {
	case "added", "modified", "deleted":
		frame(strings.ToUpper(verb), widget(words[0], words[1]))
	case "bookmark":
		frame("BOOKMARK", fmt.Sprintf(`{"kind":"Widget","metadata":{"resourceVersion":%q}}`, words[0]))
	case "end":
		frame("BOOKMARK", fmt.Sprintf(
			`{"kind":"Widget","metadata":{"resourceVersion":%q,"annotations":{"k8s.io/initial-events-end":"true"}}}`, words[0]))
	case "error":
		frame("ERROR", `{"kind":"Status","apiVersion":"v1","status":"Failure","message":"played","code":`+words[0]+`}`)
	case "page":
		var items []string
		for _, item := range strings.Fields(rest)[2:] {
			name, version, _ := strings.Cut(item, "=")
			items = append(items, widget(name, version))
		}
		fmt.Fprintf(w, `{"kind":"WidgetList","metadata":{"resourceVersion":%q,"continue":%q},"items":[%s]}`,
			words[0], strings.Trim(words[1], "-"), strings.Join(items, ","))
		return false
	case "status":
		var code int
		fmt.Sscan(words[0], &code)
		if cmp.Or(words[1], "0") != "0" {
			w.Header().Set("Retry-After", words[1])
		}
		w.WriteHeader(code)
		fmt.Fprintf(w, `{"kind":"Status","apiVersion":"v1","status":"Failure","message":%q,"code":%d}`, words[2], code)
		return false
	case "raw":
		io.WriteString(w, rest)
	case "wait", "hang":
		wait, err := time.ParseDuration(words[0])
		if err != nil {
			panic(err)
		}
		select {
		case <-time.After(wait):
		case <-r.Context().Done():
		}
	case "close":
		return false
	case "drop":
		panic(http.ErrAbortHandler)
	default:
		panic("unknown step " + step)
	}
	return true
}

func widget(name, version string) string {
	return fmt.Sprintf(`{"apiVersion":"apps/v1","kind":"Widget","metadata":{"name":%q,"resourceVersion":%q},"spec":{}}`, name, version)
}

// pipes is a listener whose connections are in memory.
type pipes struct {
	conns  chan net.Conn
	closed chan struct{}
	once   sync.Once
}

func (p *pipes) Accept() (net.Conn, error) {
	select {
	case conn := <-p.conns:
		return conn, nil
	case <-p.closed:
		return nil, net.ErrClosed
	}
}

func (p *pipes) Close() error { p.once.Do(func() { close(p.closed) }); return nil }

func (p *pipes) Addr() net.Addr { return &net.TCPAddr{} }

func (p *pipes) dial(ctx context.Context, _, _ string) (net.Conn, error) {
	here, there := net.Pipe()
	select {
	case p.conns <- there:
		return here, nil
	case <-p.closed:
		return nil, net.ErrClosed
	case <-ctx.Done():
		return nil, context.Cause(ctx)
	}
}

// serve starts the server and returns a client of it. It stops at the end of the test.
func (s *apiServer) serve(t *testing.T) *Client {
	t.Helper()
	s.began = time.Now()
	listener := &pipes{conns: make(chan net.Conn), closed: make(chan struct{})}
	server := &http.Server{Handler: s}
	go server.Serve(listener)
	transport := &http.Transport{DialContext: listener.dial}
	t.Cleanup(func() {
		transport.CloseIdleConnections()
		server.Close()
	})
	client, err := NewClient(&rest.Config{Host: "http://api.test", Transport: transport, QPS: 0.001, Burst: 1, Timeout: time.Second}, nil)
	if err != nil {
		t.Fatal(err)
	}
	return client
}

func (s *apiServer) questions() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return append([]string(nil), s.asked...)
}

// times returns the times of the requests since the start.
func (s *apiServer) times() []time.Duration {
	s.mu.Lock()
	defer s.mu.Unlock()
	return append([]time.Duration(nil), s.at...)
}
