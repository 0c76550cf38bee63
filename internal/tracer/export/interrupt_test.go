package export

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"strings"
	"testing"

	"simkube.io/simkube/internal/tracer/log"
)

// limitedWriter accepts some bytes and then returns an error.
type limitedWriter struct {
	left int
	err  error
}

func (w *limitedWriter) Write(p []byte) (int, error) {
	if w.left < len(p) {
		return 0, w.err
	}
	w.left -= len(p)
	return len(p), nil
}

func TestRun_Fails(t *testing.T) {
	failure := errors.New("no more")
	h := &history{begin: 1_000, now: 300_000, failure: failure}
	for i := range 2000 {
		h.apply(int64(50_000+100*i), fmt.Sprintf("Deployment a/d%d", i%700), i)
	}
	request := Request{Start: 100, End: 200}
	for name, test := range map[string]struct {
		fails   log.Seq
		room    int
		spool   string
		want    string
		written bool
	}{
		"reading the state":   {fails: 20, room: 1 << 30, want: "export the state: no more"},
		"reading the changes": {fails: 900, room: 1 << 30, want: "export the changes: no more"},
		"writing":             {room: 100_000, want: "no more", written: true},
		"spooling":            {room: 1 << 30, spool: "not there", want: "no such file"},
	} {
		for _, memory := range []int{0, 1} {
			t.Run(fmt.Sprint(name, ", memory ", memory), func(t *testing.T) {
				h.fails = test.fails
				w := &limitedWriter{left: test.room, err: failure}
				dir := t.TempDir()
				opts := Options{Config: testConfig(), Extension: true, SpoolDir: filepath.Join(dir, test.spool), memory: memory}
				_, err := Run(t.Context(), h, request, w, opts)
				if err == nil || !strings.Contains(err.Error(), test.want) {
					t.Errorf("got %v, want %s", err, test.want)
				}
				if written := w.left < test.room; written != test.written {
					t.Errorf("written: got %t, want %t", written, test.written)
				}
				noneLeft(t, dir)
			})
		}
	}
}

func TestRun_Cancelled(t *testing.T) {
	h := &history{begin: 1_000, now: 300_000}
	for i := range 20_000 {
		h.apply(int64(50_000+10*i), fmt.Sprintf("Deployment a/d%d", i%5000), i)
	}
	reason := errors.New("not wanted any more")
	for _, after := range []int64{0, 3000, 9000} {
		ctx, cancel := context.WithCancelCause(t.Context())
		defer cancel(nil)
		dir := t.TempDir()
		opts := Options{Config: testConfig(), SpoolDir: dir, memory: 1000, Progress: func(p Progress) {
			if p.Objects >= after {
				cancel(reason)
			}
		}}
		var b bytes.Buffer
		if _, err := Run(ctx, h, Request{Start: 100, End: 240}, &b, opts); !errors.Is(err, reason) || b.Len() > 0 {
			t.Errorf("after %d objects: got %v and %d bytes, want %v", after, err, b.Len(), reason)
		}
		noneLeft(t, dir)
	}
}

// cancellingWriter ends a context when it is written to.
type cancellingWriter struct {
	cancel func()
	writes int
}

func (w *cancellingWriter) Write(p []byte) (int, error) {
	w.writes++
	w.cancel()
	return len(p), nil
}

func TestRun_CancelledWhileWriting(t *testing.T) {
	h := &history{begin: 1_000, now: 300_000}
	for i := range 5000 {
		h.apply(int64(50_000+10*i), fmt.Sprintf("Deployment a/d%d", i), i)
	}
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	w := &cancellingWriter{cancel: cancel}
	dir := t.TempDir()
	if _, err := Run(ctx, h, Request{Start: 100, End: 240}, w, Options{Config: testConfig(), SpoolDir: dir}); !errors.Is(err, context.Canceled) || w.writes != 1 {
		t.Errorf("got %v after %d writes, want %v after 1", err, w.writes, context.Canceled)
	}
	noneLeft(t, dir)
}
