package test

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"simkube.io/simkube/internal/bigtrace"
)

// bigTrace writes a trace of 1 GB and a million events, with which the trace tools are measured.
func bigTrace(b *testing.B) (path string, size int64) {
	b.Helper()
	path = filepath.Join(b.TempDir(), "big.sktrace")
	if err := bigtrace.Write(path, bigtrace.Options{}); err != nil {
		b.Fatal(err)
	}
	info, err := os.Stat(path)
	if err != nil {
		b.Fatal(err)
	}
	return path, info.Size()
}

// BenchmarkTransform runs skctl transform on a trace of 1 GB and a million events. It reports the
// throughput from the start of the process to its end, and the maximum memory.
//
//	make build && go test -run '^$' -bench Transform -benchtime 3x ./test
func BenchmarkTransform(b *testing.B) {
	input, size := bigTrace(b)
	sanitize, err := os.ReadFile("../examples/skel/sanitize.skel")
	if err != nil {
		b.Fatal(err)
	}
	for _, bench := range []struct{ name, program string }{
		{"sanitize", string(sanitize)},
		{"one-field", `modify(metadata.labels.transformed = "yes");`},
		{"no-match", `remove(kind == "Deployment" && exists(spec.template.spec.nothingLikeThis), spec.template.spec.nothingLikeThis);`},
		{"delete", `delete(metadata.namespace == "team-01" && kind != "Secret");`},
		{"duplicate", `duplicate(kind == "Deployment", 1);`},
		{"shift", `shift(kind == "Job", 1h);`},
	} {
		b.Run(bench.name, func(b *testing.B) {
			program, output := filepath.Join(b.TempDir(), "program.skel"), filepath.Join(b.TempDir(), "out.sktrace")
			if err := os.WriteFile(program, []byte(bench.program), 0o600); err != nil {
				b.Fatal(err)
			}
			b.SetBytes(size)
			peak := int64(0)
			for b.Loop() {
				usage := runMeasured(b, "transform", input, program, "-o", output)
				peak = max(peak, usage.Maxrss)
			}
			b.ReportMetric(float64(peak)*1024/1e6, "peak-MB")
		})
	}
	// The same with cp and a single core, for comparison.
	b.Run("cp", func(b *testing.B) {
		output := filepath.Join(b.TempDir(), "out.sktrace")
		b.SetBytes(size)
		for b.Loop() {
			if out, err := exec.CommandContext(b.Context(), "cp", input, output).CombinedOutput(); err != nil {
				b.Fatalf("cp: %v: %s", err, out)
			}
			syncFile(b, output)
		}
	})
}

func syncFile(b *testing.B, path string) {
	b.Helper()
	f, err := os.OpenFile(path, os.O_RDWR, 0)
	if err != nil {
		b.Fatal(err)
	}
	defer f.Close()
	if err := f.Sync(); err != nil {
		b.Fatal(err)
	}
}

// runMeasured runs skctl to its end and returns its resource usage.
func runMeasured(b *testing.B, args ...string) *syscall.Rusage {
	b.Helper()
	cmd := exec.CommandContext(b.Context(), binary(b, "skctl"), args...)
	began := time.Now()
	if out, err := cmd.CombinedOutput(); err != nil {
		b.Fatalf("skctl %s: %v after %s: %s", strings.Join(args, " "), err, time.Since(began), out)
	}
	usage, ok := cmd.ProcessState.SysUsage().(*syscall.Rusage)
	if !ok {
		b.Fatal("no usage is known of a process")
	}
	return usage
}
