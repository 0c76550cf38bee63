package storagetest

import (
	"bytes"
	"context"
	"errors"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"sync"
	"syscall"
	"testing"
	"time"

	"simkube.io/simkube/internal/prerequisite"
)

// program returns the path of a server's program in bin/ of the repository, or in PATH. If it is in
// neither, it skips the test, or fails it if SIMKUBE_REQUIRE lists servers.
func program(t testing.TB, path string) string {
	t.Helper()
	dir, err := os.Getwd()
	if err != nil {
		t.Fatal(err)
	}
	for ; ; dir = filepath.Dir(dir) {
		found := filepath.Join(dir, "bin", path)
		if _, err := os.Stat(found); err == nil {
			return found
		}
		if dir == filepath.Dir(dir) {
			break
		}
	}
	if found, err := exec.LookPath(filepath.Base(path)); err == nil {
		return found
	}
	prerequisite.Missing(t, prerequisite.Servers, "%s is neither in bin/ nor in PATH: run make test-servers",
		filepath.Base(path))
	return ""
}

// start runs a server until the test ends, and waits until it listens. Its output is logged if the
// test fails.
func start(t testing.TB, address string, name string, args ...string) {
	t.Helper()
	output := new(output)
	cmd := exec.Command(name, args...)
	cmd.Dir = t.TempDir()
	cmd.Stdout, cmd.Stderr = output, output
	// The server is killed with the test process, too.
	cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	ended := make(chan struct{})
	go func() {
		_ = cmd.Wait()
		close(ended)
	}()
	t.Cleanup(func() {
		_ = cmd.Process.Kill()
		<-ended
		if t.Failed() {
			t.Logf("%s printed:\n%s", filepath.Base(name), output)
		}
	})
	if err := listens(t.Context(), address, ended); err != nil {
		t.Fatalf("%s: %v\n%s", filepath.Base(name), err, output)
	}
}

// listens waits until a server listens at an address.
func listens(ctx context.Context, address string, ended <-chan struct{}) error {
	ctx, cancel := context.WithTimeout(ctx, time.Minute)
	defer cancel()
	for {
		c, err := (&net.Dialer{}).DialContext(ctx, "tcp", address)
		if err == nil {
			return c.Close()
		}
		select {
		case <-ended:
			return errors.New("it exited before it listened")
		case <-ctx.Done():
			return errors.New("it does not listen")
		case <-time.After(20 * time.Millisecond): // the socket is the only indication
		}
	}
}

// freeAddress returns an unused address.
func freeAddress(t testing.TB) string {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer listener.Close()
	return listener.Addr().String()
}

// output keeps the end of a server's output.
type output struct {
	mu  sync.Mutex
	buf bytes.Buffer
}

func (o *output) Write(p []byte) (int, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.buf.Len() > 1<<20 {
		o.buf.Next(o.buf.Len() / 2)
	}
	return o.buf.Write(p)
}

func (o *output) String() string {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.buf.String()
}
