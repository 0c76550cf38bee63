package storagetest

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"math/rand/v2"
	"slices"
	"sync"
	"testing"

	"simkube.io/simkube/storage"
)

const (
	kilobyte = 1 << 10
	megabyte = 1 << 20
)

// Run tests everything that package storage promises for a storage. After each case, only committed
// objects may remain.
func Run(t *testing.T, start func(testing.TB) *Server) {
	s := suite{Server: start(t)}
	s.client = s.Client(t, storage.Options{PartSize: 5 * megabyte})
	for _, test := range []struct {
		name string
		run  func(suite, *testing.T)
	}{
		{"round trip", suite.roundTrip},
		{"keys", suite.keys},
		{"overwrite", suite.overwrite},
		{"missing object", suite.missingObject},
		{"missing bucket", suite.missingBucket},
		{"wrong credentials", suite.wrongCredentials},
		{"check leaves nothing", suite.check},
		{"abort", suite.abort},
		{"cancelled upload", suite.cancelledUpload},
		{"cancelled download", suite.cancelledDownload},
		{"connections dropped once", suite.droppedOnce},
		{"connection lost while writing", suite.lostWriting},
		{"connection lost while reading", suite.lostReading},
		{"nobody there", suite.unreachable},
		{"uploads at once", suite.concurrent},
		{"uploads of one object at once", suite.contended},
	} {
		t.Run(test.name, func(t *testing.T) {
			before := s.Objects(t)
			s := s
			s.committed = new([]string)
			test.run(s, t)
			want := slices.Concat(before, *s.committed)
			slices.Sort(want)
			if got := s.Objects(t); !slices.Equal(got, slices.Compact(want)) {
				t.Errorf("there are the objects %q, want %q", got, want)
			}
			if got := s.Unfinished(t); len(got) > 0 {
				t.Errorf("there are unfinished uploads: %q", got)
			}
		})
	}
}

type suite struct {
	*Server
	client    *storage.Client
	committed *[]string // the keys that were committed
}

func (s suite) location(t testing.TB, key string) storage.Location {
	t.Helper()
	return parse(t, s.Prefix+key)
}

func parse(t testing.TB, url string) storage.Location {
	t.Helper()
	location, err := storage.Parse(url)
	if err != nil {
		t.Fatal(err)
	}
	return location
}

// random returns incompressible bytes, always the same for the same seed.
func random(seed byte, n int) []byte {
	data := make([]byte, n)
	_, _ = rand.NewChaCha8([32]byte{seed}).Read(data)
	return data
}

func write(ctx context.Context, c *storage.Client, location storage.Location, data []byte) error {
	w, err := c.Create(ctx, location)
	if err != nil {
		return err
	}
	defer w.Close()
	if _, err := io.Copy(w, bytes.NewReader(data)); err != nil {
		return err
	}
	return w.Commit()
}

func (s suite) put(t testing.TB, key string, data []byte) {
	t.Helper()
	if err := write(t.Context(), s.client, s.location(t, key), data); err != nil {
		t.Fatal(err)
	}
	*s.committed = append(*s.committed, key)
}

func read(ctx context.Context, c *storage.Client, location storage.Location) ([]byte, int64, error) {
	r, err := c.Open(ctx, location)
	if err != nil {
		return nil, 0, err
	}
	defer r.Close()
	data, err := io.ReadAll(r)
	return data, r.Size(), err
}

// checkContent fails the test if the object does not have exactly this content.
func (s suite) checkContent(t testing.TB, key string, want []byte) {
	t.Helper()
	got, size, err := read(t.Context(), s.client, s.location(t, key))
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(got, want) {
		t.Errorf("got %d bytes, want %d other bytes", len(got), len(want))
	}
	if size != int64(len(want)) {
		t.Errorf("got the size %d, want %d", size, len(want))
	}
}

func (s suite) roundTrip(t *testing.T) {
	for _, size := range []int{0, 1, kilobyte, 5 * megabyte, 40*megabyte + 7} {
		t.Run(fmt.Sprint(size), func(t *testing.T) {
			key, data := fmt.Sprintf("round-trip-%d", size), random(1, size)
			s.put(t, key, data)
			s.checkContent(t, key, data)
		})
	}
}

func (s suite) keys(t *testing.T) {
	for _, key := range []string{"with space.sktrace", "ünïcode-追跡", "a+b&c=d", "per%20cent", "..dots..", "~tilde(1)!*'"} {
		t.Run(key, func(t *testing.T) {
			s.put(t, key, []byte(key))
			s.checkContent(t, key, []byte(key))
		})
	}
}

func (s suite) overwrite(t *testing.T) {
	const key = "overwritten"
	earlier, later := random(1, 11*megabyte), random(2, 6*megabyte)
	s.put(t, key, earlier)
	w, err := s.client.Create(t.Context(), s.location(t, key))
	if err != nil {
		t.Fatal(err)
	}
	defer w.Close()
	if _, err := w.Write(later); err != nil {
		t.Fatal(err)
	}
	s.checkContent(t, key, earlier)
	if err := w.Commit(); err != nil {
		t.Fatal(err)
	}
	s.checkContent(t, key, later)
	if err := w.Abort(); err != nil {
		t.Errorf("aborting what was committed: %v", err)
	}
	s.checkContent(t, key, later)
}

func (s suite) missingObject(t *testing.T) {
	_, _, err := read(t.Context(), s.client, s.location(t, "nowhere"))
	checkError(t, err, storage.ErrNotExist)
	if !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("%v is not fs.ErrNotExist", err)
	}
}

func (s suite) missingBucket(t *testing.T) {
	location := parse(t, s.Missing+"object")
	for _, size := range []int{0, kilobyte, 12 * megabyte} {
		checkError(t, write(t.Context(), s.client, location, random(1, size)), storage.ErrNotExist)
	}
	checkError(t, s.client.Check(t.Context(), location), storage.ErrNotExist)
	_, _, err := read(t.Context(), s.client, location)
	checkError(t, err, storage.ErrNotExist)
}

func (s suite) wrongCredentials(t *testing.T) {
	const key = "protected"
	s.put(t, key, []byte("data"))
	for name, env := range s.Wrong {
		t.Run(name, func(t *testing.T) {
			c := s.Client(t, storage.Options{Getenv: Getenv(env), PartSize: 5 * megabyte})
			checkError(t, c.Check(t.Context(), s.location(t, "forbidden")), storage.ErrPermission)
			checkError(t, write(t.Context(), c, s.location(t, "forbidden"), nil), storage.ErrPermission)
			checkError(t, write(t.Context(), c, s.location(t, key), random(1, 12*megabyte)), storage.ErrPermission)
			_, _, err := read(t.Context(), c, s.location(t, key))
			checkError(t, err, storage.ErrPermission)
		})
	}
	s.checkContent(t, key, []byte("data"))
}

func (s suite) check(t *testing.T) {
	const key = "checked"
	if err := s.client.Check(t.Context(), s.location(t, key)); err != nil {
		t.Fatal(err)
	}
	_, _, err := read(t.Context(), s.client, s.location(t, key))
	checkError(t, err, storage.ErrNotExist)

	s.put(t, key, []byte("data"))
	if err := s.client.Check(t.Context(), s.location(t, key)); err != nil {
		t.Fatal(err)
	}
	s.checkContent(t, key, []byte("data"))
}

func (s suite) abort(t *testing.T) {
	for _, size := range []int{0, kilobyte, 23 * megabyte} {
		t.Run(fmt.Sprint(size), func(t *testing.T) {
			w, err := s.client.Create(t.Context(), s.location(t, "aborted"))
			if err != nil {
				t.Fatal(err)
			}
			if _, err := w.Write(random(1, size)); err != nil {
				t.Fatal(err)
			}
			for range 2 {
				if err := w.Abort(); err != nil {
					t.Fatal(err)
				}
			}
			if _, err := w.Write(random(1, megabyte)); err == nil {
				t.Error("writing goes on after it was aborted")
			}
			if err := w.Commit(); err == nil {
				t.Error("what was aborted is committed")
			}
		})
	}
}

func (s suite) cancelledUpload(t *testing.T) {
	for _, size := range []int{kilobyte, 17 * megabyte} {
		t.Run(fmt.Sprint(size), func(t *testing.T) {
			ctx, cancel := context.WithCancel(t.Context())
			defer cancel()
			w, err := s.client.Create(ctx, s.location(t, "cancelled"))
			if err != nil {
				t.Fatal(err)
			}
			if _, err := w.Write(random(1, size)); err != nil {
				t.Fatal(err)
			}
			cancel()
			if err := w.Commit(); !errors.Is(err, context.Canceled) {
				t.Errorf("got the error %v, want that it was cancelled", err)
			}
			if err := w.Close(); err != nil {
				t.Error(err)
			}
		})
	}
}

func (s suite) cancelledDownload(t *testing.T) {
	const key = "read-in-part"
	s.put(t, key, random(1, 8*megabyte))
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	r, err := s.client.Open(ctx, s.location(t, key))
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	if _, err := io.ReadFull(r, make([]byte, megabyte)); err != nil {
		t.Fatal(err)
	}
	cancel()
	if _, err := io.Copy(io.Discard, r); !errors.Is(err, context.Canceled) {
		t.Errorf("got the error %v, want that it was cancelled", err)
	}
}

// droppedOnce breaks connections in the middle: the upload must succeed nevertheless, or leave
// nothing.
func (s suite) droppedOnce(t *testing.T) {
	s.needsProxy(t)
	for _, after := range []int64{100 * kilobyte, 7 * megabyte, 18 * megabyte} {
		t.Run(fmt.Sprint(after), func(t *testing.T) {
			key, data := fmt.Sprintf("dropped-%d", after), random(1, 21*megabyte)
			s.Proxy.CutUpload(after, false)
			err := write(t.Context(), s.client, s.location(t, key), data)
			if cuts := s.Proxy.Restore(); cuts != 1 {
				t.Fatalf("connections were broken %d times, want once", cuts)
			}
			if err != nil {
				t.Fatalf("the upload did not survive it: %v", err)
			}
			*s.committed = append(*s.committed, key)
			s.checkContent(t, key, data)
		})
	}
}

// lostWriting breaks connections in the middle and refuses new ones.
func (s suite) lostWriting(t *testing.T) {
	s.needsProxy(t)
	const key = "lost"
	earlier := []byte("what was there before")
	s.put(t, key, earlier)
	w, err := s.client.Create(t.Context(), s.location(t, key))
	if err != nil {
		t.Fatal(err)
	}
	s.Proxy.CutUpload(7*megabyte, true)
	_, err = io.Copy(w, bytes.NewReader(random(1, 40*megabyte)))
	if err == nil {
		err = w.Commit()
	}
	if cuts := s.Proxy.Restore(); cuts != 1 {
		t.Errorf("connections were broken %d times, want once", cuts)
	}
	checkError(t, err, storage.ErrUnavailable)
	s.checkContent(t, key, earlier)
	// If the upload could not be aborted in the storage, the caller must be told.
	left := s.Unfinished(t)
	if err := w.Abort(); (err != nil) != (len(left) > 0) {
		t.Errorf("abort: %v; unfinished uploads: %q", err, left)
	}
	if s.sweep != nil {
		if err := s.sweep(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
}

func (s suite) lostReading(t *testing.T) {
	s.needsProxy(t)
	const key = "read-until-lost"
	s.put(t, key, random(1, 20*megabyte))
	s.Proxy.CutDownload(9*megabyte, true)
	_, _, err := read(t.Context(), s.client, s.location(t, key))
	s.Proxy.Restore()
	checkError(t, err, storage.ErrUnavailable)
}

func (s suite) unreachable(t *testing.T) {
	s.needsProxy(t)
	s.Proxy.CutUpload(0, true)
	defer s.Proxy.Restore()
	location := s.location(t, "unreachable")
	checkError(t, s.client.Check(t.Context(), location), storage.ErrUnavailable)
	checkError(t, write(t.Context(), s.client, location, []byte("data")), storage.ErrUnavailable)
	_, _, err := read(t.Context(), s.client, location)
	checkError(t, err, storage.ErrUnavailable)
}

func (s suite) concurrent(t *testing.T) {
	var wg sync.WaitGroup
	errs := make([]error, 8)
	key := func(i int) string { return fmt.Sprintf("at-once/%d", i) }
	if s.Proxy == nil { // directories are not created
		key = func(i int) string { return fmt.Sprintf("at-once-%d", i) }
	}
	for i := range errs {
		wg.Go(func() {
			errs[i] = write(t.Context(), s.client, s.location(t, key(i)), random(byte(i), 6*megabyte+i))
		})
	}
	wg.Wait()
	if err := errors.Join(errs...); err != nil {
		t.Fatal(err)
	}
	for i := range errs {
		*s.committed = append(*s.committed, key(i))
		s.checkContent(t, key(i), random(byte(i), 6*megabyte+i))
	}
}

func (s suite) contended(t *testing.T) {
	const key = "contended"
	var wg sync.WaitGroup
	errs := make([]error, 4)
	for i := range errs {
		wg.Go(func() { errs[i] = write(t.Context(), s.client, s.location(t, key), random(byte(i), 11*megabyte)) })
	}
	wg.Wait()
	*s.committed = append(*s.committed, key)
	got, _, err := read(t.Context(), s.client, s.location(t, key))
	if err != nil {
		t.Fatal(err)
	}
	for i, err := range errs {
		if err != nil {
			// On Azure, one of them succeeds.
			checkError(t, err, storage.ErrUnavailable)
		} else if bytes.Equal(got, random(byte(i), 11*megabyte)) {
			return
		}
	}
	t.Error("the object is none of those that were written")
}

func (s suite) needsProxy(t *testing.T) {
	if s.Proxy == nil {
		t.Skip("nothing is between the client and this storage")
	}
}

// checkError fails the test if an error is not of the kind, or lacks a required part.
func checkError(t testing.TB, err, kind error) {
	t.Helper()
	var full *storage.Error
	if !errors.As(err, &full) {
		t.Errorf("got the error %v, want a *storage.Error", err)
		return
	}
	t.Log(err)
	if !errors.Is(err, kind) {
		t.Errorf("got the error %v of kind %v, want %v", err, full.Kind, kind)
	}
	if full.Reason == "" || full.Hint == "" {
		t.Errorf("%v has no reason or no hint", err)
	}
}
