package timeline

import (
	"bytes"
	"context"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"testing"

	"simkube.io/simkube/internal/bigtrace"
	"simkube.io/simkube/trace"
)

// bigVariable names a trace file to use in place of one that bigTrace writes.
const bigVariable = "SIMKUBE_BIG_TRACE"

func bigTrace(b *testing.B) (path string, size int64) {
	b.Helper()
	path = os.Getenv(bigVariable)
	if path == "" {
		path = filepath.Join(b.TempDir(), "big.sktrace")
		if err := bigtrace.Write(path, bigtrace.Options{}); err != nil {
			b.Fatal(err)
		}
	}
	info, err := os.Stat(path)
	if err != nil {
		b.Fatal(err)
	}
	return path, info.Size()
}

// BenchmarkFile measures reading a trace of a million events and a gigabyte. MB/cpu-s is the
// throughput on a machine without other load; peak-MB is the peak memory of a process that does
// nothing else.
//
//	go test -run '^$' -bench File ./internal/timeline
//
// With SIMKUBE_BIG_TRACE it uses that file instead of writing one each time.
func BenchmarkFile(b *testing.B) {
	path, size := bigTrace(b)
	whole := func(name string, walk func(ctx context.Context, path string) error) {
		b.Run(name, func(b *testing.B) {
			b.SetBytes(size)
			b.ReportAllocs()
			before := cpuTime()
			for b.Loop() {
				if err := walk(b.Context(), path); err != nil {
					b.Fatal(err)
				}
			}
			if used := cpuTime() - before; used > 0 {
				b.ReportMetric(float64(size)*float64(b.N)/1e6/used.Seconds(), "MB/cpu-s")
			}
			b.ReportMetric(childPeak(b, name, path), "peak-MB")
		})
	}
	whole("Iterate", iterate)
	whole("Index", indexAll)

	b.Run("OpenToFirstInfo", func(b *testing.B) {
		for b.Loop() {
			f, err := Open(b.Context(), path, Options{})
			if err != nil {
				b.Fatal(err)
			}
			for f.Len() == 0 {
				<-f.Changed()
			}
			if f.Info(0).Size == 0 {
				b.Fatal("no first event")
			}
			if err := f.Close(); err != nil {
				b.Fatal(err)
			}
		}
	})
	benchmarkIndexed(b, path)
}

// benchmarkIndexed measures queries on an indexed trace.
func benchmarkIndexed(b *testing.B, path string) {
	f := open(b, path)
	random := rand.New(rand.NewPCG(1, 1))
	b.Run("EventRandom", func(b *testing.B) {
		for b.Loop() {
			if _, err := f.Event(1 + random.IntN(f.Len()-1)); err != nil {
				b.Fatal(err)
			}
		}
	})
	b.Run("Objects", func(b *testing.B) {
		for b.Loop() {
			f.Objects(1 + random.IntN(f.Len()-1))
		}
	})
	b.Run("Previous", func(b *testing.B) {
		for b.Loop() {
			f.Previous(Place{Event: 1 + random.IntN(f.Len()-1)})
		}
	})
	b.Run("Activity200", func(b *testing.B) {
		from, to, _ := f.Span()
		for b.Loop() {
			f.Activity(from, to+1, 200)
		}
	})
	for name, filter := range map[string]Filter{
		"SelectNamespace":  {Namespaces: []string{"team-07"}},
		"SelectName":       {Name: "web-01603"},
		"SelectRareText":   {Text: "WEB-01603"},
		"SelectNoText":     {Text: "nowhere to be found"},
		"SelectNumberText": {Text: "31415"},
		"SelectMatch":      {Match: func(_ int64, obj *trace.Object) (bool, error) { return len(obj.Spec()) == 0, nil }},
	} {
		b.Run(name, func(b *testing.B) { benchmarkSelect(b, f, filter) })
	}
}

func benchmarkSelect(b *testing.B, f *File, filter Filter) {
	b.SetBytes(f.Progress().Size)
	b.ReportAllocs()
	found := 0
	for b.Loop() {
		s, err := f.Select(filter, 0)
		if err != nil {
			b.Fatal(err)
		}
		found = 0
		for _, err := range s.All(b.Context()) {
			if err != nil {
				b.Fatal(err)
			}
			found++
		}
	}
	b.ReportMetric(float64(found), "places")
}

func iterate(_ context.Context, path string) error {
	f, err := trace.Open(path)
	if err != nil {
		return err
	}
	defer f.Close()
	for _, err := range f.Events() {
		if err != nil {
			return err
		}
	}
	_, err = f.Tail()
	return err
}

func indexAll(ctx context.Context, path string) error {
	f, err := Open(ctx, path, Options{})
	if err != nil {
		return err
	}
	defer f.Close()
	return f.Wait(ctx)
}

// walkVariable makes the test binary run only one of the two functions above, "Iterate PATH" or
// "Index PATH", and print its peak memory.
const walkVariable = "SIMKUBE_TIMELINE_WALK"

// walkAlone runs the function that walkVariable selects.
func walkAlone(what string) error {
	name, path, _ := strings.Cut(what, " ")
	walk := indexAll
	if name == "Iterate" {
		walk = iterate
	}
	if err := walk(context.Background(), path); err != nil {
		return err
	}
	fmt.Println(peakKB())
	return nil
}

// peakKB returns the peak memory of this process, as the operating system reports it (VmHWM), or
// else as the Go runtime does.
func peakKB() uint64 {
	status, _ := os.ReadFile("/proc/self/status")
	for line := range strings.Lines(string(status)) {
		if fields := strings.Fields(line); len(fields) > 1 && fields[0] == "VmHWM:" {
			if kb, err := strconv.ParseUint(fields[1], 10, 64); err == nil {
				return kb
			}
		}
	}
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return m.Sys / 1024
}

// childPeak reads a trace in a separate process and returns its peak memory in MB.
func childPeak(b *testing.B, walk, path string) float64 {
	b.Helper()
	self, err := os.Executable()
	if err != nil {
		b.Fatal(err)
	}
	cmd := exec.CommandContext(b.Context(), self)
	cmd.Env = append(os.Environ(), walkVariable+"="+walk+" "+path)
	out, err := cmd.Output()
	if err != nil {
		b.Fatalf("go over the trace in a process of its own: %v: %s", err, out)
	}
	kb, err := strconv.ParseFloat(string(bytes.TrimSpace(out)), 64)
	if err != nil {
		b.Fatal(err)
	}
	return kb * 1024 / 1e6
}
