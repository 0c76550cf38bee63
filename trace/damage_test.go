package trace

import (
	"bytes"
	"cmp"
	"errors"
	"math/rand/v2"
	"os"
	"runtime"
	"slices"
	"testing"
)

// The number of damaged copies of a trace that are read, and the limit of the memory that reading
// one may allocate: a multiple of its size, and a constant for allocations that do not depend on it
// (the Reader and its first window, the smallest maps and buffers, an error with its text).
const (
	truncations  = 1_000
	byteFlips    = 10_000
	allocFactor  = 16
	allocFloor   = 4 << 10
	damageSeed   = 20261122
	damageStream = 2
)

func TestRead_Damaged(t *testing.T) {
	for name, data := range fixtures() {
		flips := byteFlips
		if name != "v1" && name != "v2" {
			flips /= 10 // the other version has nearly the same bytes
		}
		t.Run(name, func(t *testing.T) { readDamaged(t, data, flips) })
	}
	for _, sample := range []string{"cronjob.sktrace", "bare-pods.sktrace"} {
		t.Run(sample, func(t *testing.T) {
			data, err := os.ReadFile(samplePath(t, sample))
			if err != nil {
				t.Fatal(err)
			}
			readDamaged(t, data, byteFlips)
		})
	}
}

// readDamaged reads copies of a trace that are truncated or have changed bytes.
func readDamaged(t *testing.T, data []byte, flips int) {
	t.Helper()
	random := rand.New(rand.NewPCG(damageSeed, damageStream))
	valid := 0
	for range truncations {
		cut := random.IntN(len(data))
		if readBounded(t, data[:cut]) == nil {
			t.Errorf("cut to %d of %d bytes: want an error", cut, len(data))
		}
	}
	damaged := make([]byte, len(data))
	for range flips {
		copy(damaged, data)
		for range 1 + random.IntN(3) {
			damaged[random.IntN(len(damaged))] ^= byte(1 + random.IntN(255))
		}
		if readBounded(t, damaged) == nil {
			valid++
		}
	}
	t.Logf("%d of %d damaged copies of %d bytes are still traces", valid, flips, len(data))
}

// readBounded reads a trace, checks how much memory that allocates, and uses the whole trace if it
// is valid.
func readBounded(t *testing.T, data []byte) error {
	t.Helper()
	limit := uint64(allocFactor*len(data) + allocFloor + raceAllocs)
	tr, got, err := readCounted(data)
	for range 3 {
		if got <= limit {
			break
		}
		// The count includes allocations by the runtime. The reader's own allocations would happen again.
		_, again, _ := readCounted(data)
		got = min(got, again)
	}
	if got > limit {
		t.Errorf("reading %d bytes allocated %d, want at most %d: %x", len(data), got, limit, data)
	}
	if err != nil {
		if !errors.As(err, new(*FormatError)) {
			t.Errorf("got error %v, want a *FormatError", err)
		}
		return err
	}
	checkUsable(t, tr)
	return nil
}

// readCounted reads a trace and counts the bytes that are allocated meanwhile.
func readCounted(data []byte) (tr *Trace, allocated uint64, err error) {
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	tr, err = Read(bytes.NewReader(data))
	runtime.ReadMemStats(&after)
	return tr, after.TotalAlloc - before.TotalAlloc, err
}

// checkUsable writes a trace and fails if it is not the same when it is read again.
func checkUsable(t *testing.T, tr *Trace) {
	t.Helper()
	for _, e := range tr.Events {
		for _, objs := range [][]Object{e.Applied, e.Deleted} {
			for i := range objs {
				checkObject(t, &objs[i])
			}
		}
	}
	inOrder(tr)
	first := mustWrite(t, tr)
	again := mustRead(t, first)
	if second := mustWrite(t, again); !bytes.Equal(first, second) {
		t.Errorf("written, read and written again:\ngot  %x\nwant %x", second, first)
	}
}

// inOrder sorts the events by time, because a trace is only written in time order.
func inOrder(tr *Trace) {
	slices.SortStableFunc(tr.Events, func(a, b Event) int { return cmp.Compare(a.Time, b.Time) })
}
