package tracer

import (
	"context"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	testingclock "k8s.io/utils/clock/testing"

	"simkube.io/simkube/trace"
)

// TestConfigFile_Follow checks that every change of the file is reported once, including that it
// cannot be read for a while.
func TestConfigFile_Follow(t *testing.T) {
	path := filepath.Join(t.TempDir(), "config.yaml")
	write := func(text string) {
		t.Helper()
		// The file is replaced atomically, as Kubernetes does it. A partly written file would be
		// reported, too.
		if err := os.WriteFile(path+".new", []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		if err := os.Rename(path+".new", path); err != nil {
			t.Fatal(err)
		}
	}
	const one, two = "trackedObjects: {v1.Service: {}}", "trackedObjects: {v1.Service: {}, v1.Secret: {}}"
	write(one)
	clock := testingclock.NewFakeClock(begin)
	file := &ConfigFile{Path: path, Clock: clock, Logger: slog.New(slog.DiscardHandler)}
	if _, err := file.Load(); err != nil {
		t.Fatal(err)
	}
	type told struct {
		kinds int
		err   string
	}
	changes := make(chan told)
	ctx, cancel := context.WithCancel(t.Context())
	var following sync.WaitGroup
	following.Go(func() {
		file.Follow(ctx, func(config *trace.Config, err error) {
			var change told
			if err != nil {
				change.err = err.Error()
			} else {
				change.kinds = len(config.TrackedObjects)
			}
			select {
			case changes <- change:
			case <-ctx.Done():
			}
		})
	})
	defer following.Wait()
	defer cancel()
	// A tick that is not received in time is lost, so several are needed. Unchanged contents must not
	// be reported again.
	want := func(kinds int, text string) {
		t.Helper()
		for {
			select {
			case got := <-changes:
				if got.kinds != kinds || !strings.Contains(got.err, text) {
					t.Fatalf("told of %+v, want %d kinds, or the error %q", got, kinds, text)
				}
				return
			case <-time.After(time.Millisecond):
				clock.Step(configEvery)
			}
		}
	}
	write(two)
	want(2, "")
	write("trackedObjects: {v1.Service: {trackLifecycles: true}}")
	want(0, "unknown field")
	write(two)
	want(2, "")
	// A directory in its place cannot be read.
	if err := os.Remove(path); err != nil {
		t.Fatal(err)
	}
	if err := os.Mkdir(path, 0o700); err != nil {
		t.Fatal(err)
	}
	want(0, "is a directory")
	for range 5 {
		clock.Step(configEvery)
		select {
		case got := <-changes:
			t.Fatalf("told of %+v once more", got)
		case <-time.After(time.Millisecond): // usually long enough for a report
		}
	}
	if err := os.Remove(path); err != nil {
		t.Fatal(err)
	}
	write(two)
	want(2, "")
	write(one)
	want(1, "")
}
