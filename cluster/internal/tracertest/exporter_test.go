package tracertest

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"log/slog"
	"os"
	"os/exec"
	"strings"
	"testing"
	"time"

	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/client-go/tools/clientcmd"

	simkubev1 "simkube.io/simkube/api/v1"
	"simkube.io/simkube/internal/tracer"
	"simkube.io/simkube/trace"
)

// exporterVariable makes this test binary run a tracer that exports on request.
const exporterVariable = "SIMKUBE_TRACERTEST_EXPORTER"

// playExporter runs in a child process: it records until its standard input ends or it is killed.
// For each line on its standard input, which has a time in unix seconds and a path, it exports
// everything since the time into the file, and prints "ok" or an error.
func playExporter(role string) int {
	fields := strings.Split(role, "|")
	cluster, err := clientcmd.BuildConfigFromFlags("", fields[0])
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	kind, err := trace.ParseGVK(fields[2])
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	t, err := tracer.Open(tracer.Options{
		Cluster: cluster, Dir: fields[1], Logger: slog.New(slog.NewTextHandler(os.Stderr, &slog.HandlerOptions{Level: slog.LevelWarn})),
		Config: &trace.Config{TrackedObjects: map[schema.GroupVersionKind]trace.TrackedObject{configMapKind: {}, kind: {}}},
	})
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- t.Run(ctx) }()
	lines := bufio.NewScanner(os.Stdin)
	for lines.Scan() {
		var since int64
		var path string
		if _, err = fmt.Sscan(lines.Text(), &since, &path); err == nil {
			err = exportTo(ctx, t, since, path)
		}
		if err != nil {
			fmt.Println(err)
		} else {
			fmt.Println("ok")
		}
	}
	cancel()
	if err := <-done; err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	if err := t.Close(); err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	return 0
}

func exportTo(ctx context.Context, t *tracer.Tracer, since int64, path string) (err error) {
	out, err := os.Create(path)
	if err != nil {
		return err
	}
	defer out.Close()
	_, err = t.Export(ctx, simkubev1.ExportRequest{StartTS: since, EndTS: time.Now().Unix() + 2, ExportPath: "x"}, out)
	return err
}

// exporter is a process that runs playExporter.
type exporter struct {
	cmd     *exec.Cmd
	in      io.WriteCloser
	answers *bufio.Scanner
}

// startExporter starts an exporter. It is killed at the end of the test at the latest.
func startExporter(t *testing.T, kubeconfig, dir string, kind schema.GroupVersionKind) *exporter {
	t.Helper()
	cmd := exec.Command(os.Args[0])
	cmd.Env = append(os.Environ(), exporterVariable+"="+strings.Join([]string{kubeconfig, dir, trace.FormatGVK(kind)}, "|"))
	cmd.Stderr = t.Output()
	in, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	e := &exporter{cmd: cmd, in: in, answers: bufio.NewScanner(out)}
	t.Cleanup(e.kill)
	return e
}

// kill kills the process, unless it has ended.
func (e *exporter) kill() {
	if e.cmd.ProcessState == nil {
		_ = e.cmd.Process.Kill()
		_ = e.cmd.Wait() // the process was killed
	}
}

// export exports everything since a time into a file.
func (e *exporter) export(t *testing.T, since time.Time, path string) {
	t.Helper()
	if _, err := fmt.Fprintln(e.in, since.Unix(), path); err != nil {
		t.Fatal(err)
	}
	if !e.answers.Scan() || e.answers.Text() != "ok" {
		t.Fatalf("export: the tracer says %q", e.answers.Text())
	}
}
