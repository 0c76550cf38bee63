package watch

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"k8s.io/client-go/rest"
)

// TestWatcher_OverTCP uses objects of megabytes, and connections that break within them.
func TestWatcher_OverTCP(t *testing.T) {
	const size = 3 << 20
	large := func(name, version string) string {
		return strings.Replace(widget(name, version), `"spec":{}`, `"spec":{"text":"`+strings.Repeat("x", size)+`"}`, 1)
	}
	var server *httptest.Server
	var watches atomic.Int32
	server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if !strings.HasSuffix(r.URL.Path, "/widgets") {
			io.WriteString(w, resources)
			return
		}
		switch n := watches.Add(1); n {
		case 1:
			fmt.Fprintf(w, `{"type":"ADDED","object":%s}`+"\n", large("a", "1"))
			play(w, r, "end 2")
			half := large("a", "3")
			fmt.Fprintf(w, `{"type":"MODIFIED","object":%s`, half[:len(half)/2])
			w.(http.Flusher).Flush()
			panic(http.ErrAbortHandler)
		default:
			if got := r.URL.Query().Get("resourceVersion"); got != "2" {
				t.Errorf("got a watch from version %q, want 2", got)
			}
			fmt.Fprintf(w, `{"type":"MODIFIED","object":%s}`+"\n", large("a", "3"))
			w.(http.Flusher).Flush()
			<-r.Context().Done()
		}
	}))
	defer server.Close()
	client, err := NewClient(&rest.Config{Host: server.URL}, nil)
	if err != nil {
		t.Fatal(err)
	}
	defer client.http.CloseIdleConnections()
	ctx, cancel := context.WithCancel(t.Context())
	handler := &untilVersion{version: "3", cancel: cancel}
	watcher := New(client, widgets, handler, Options{Observer: &handler.witness})
	if err := watcher.Run(ctx); err != nil {
		t.Fatal(err)
	}
	compare(t, "calls", strings.Join(handler.calls, ", "), "begin, a 1, complete, a 3")
	compare(t, "reasons", handler.reasons, []Reason{Dropped})
	if got := watcher.Status().Bytes; got < 2*size || got > 2*size+4096 {
		t.Errorf("got %d bytes, want some %d", got, 2*size)
	}
}

// untilVersion is a witness that ends the watch when an object with the version arrives.
type untilVersion struct {
	witness
	version string
	cancel  context.CancelFunc
}

func (h *untilVersion) Object(ctx context.Context, json []byte) error {
	err := h.witness.Object(ctx, json)
	if strings.HasSuffix(h.calls[len(h.calls)-1], " "+h.version) {
		h.cancel()
	}
	return err
}

func TestNewClient_RefusesAddressesThatAreNone(t *testing.T) {
	if _, err := NewClient(&rest.Config{Host: "http://[broken"}, nil); err == nil {
		t.Error("got no error, want one that says that the address is none")
	}
}

// BenchmarkWatcher reads changes of pods of some 6 KB over TCP, with a handler that does nothing.
func BenchmarkWatcher(b *testing.B) {
	frame := fmt.Sprintf(`{"type":"MODIFIED","object":{"apiVersion":"v1","kind":"Pod","metadata":{"name":"a","namespace":"b","uid":"c",`+
		`"resourceVersion":"7","labels":{"app":"a"},"annotations":{"note":%q},"managedFields":[{"manager":"m","fieldsV1":{%s"f:x":{}}}]},`+
		`"spec":{"containers":[%s{}]},"status":{}}}`+"\n",
		strings.Repeat("x", 500), strings.Repeat(`"f:spec":{"f:containers":{}},`, 50), strings.Repeat(`{"name":"main","image":"busybox"},`, 100))
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if !strings.HasSuffix(r.URL.Path, "/widgets") {
			io.WriteString(w, resources)
			return
		}
		play(w, r, "end 1")
		w.(http.Flusher).Flush()
		for range b.N {
			io.WriteString(w, frame)
		}
		w.(http.Flusher).Flush()
		<-r.Context().Done()
	}))
	defer server.Close()
	client, err := NewClient(&rest.Config{Host: server.URL}, nil)
	if err != nil {
		b.Fatal(err)
	}
	defer client.http.CloseIdleConnections()
	ctx, cancel := context.WithCancel(b.Context())
	handler := &countdown{left: b.N, cancel: cancel}
	b.SetBytes(int64(len(frame)))
	b.ReportAllocs()
	b.ResetTimer()
	if err := New(client, widgets, handler, Options{}).Run(ctx); err != nil {
		b.Fatal(err)
	}
}

// countdown ends a watch after a number of objects.
type countdown struct {
	left   int
	cancel context.CancelFunc
}

func (c *countdown) Begin(context.Context) error           { return nil }
func (c *countdown) Deleted(context.Context, []byte) error { return nil }
func (c *countdown) Complete(context.Context) error        { return nil }

func (c *countdown) Gap(context.Context, time.Time, time.Time) error { return nil }
func (c *countdown) Object(context.Context, []byte) error {
	if c.left--; c.left == 0 {
		c.cancel()
	}
	return nil
}
