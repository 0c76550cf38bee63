package skcluster

import (
	"os"
	"runtime"
	"sync"
	"testing"
	"time"
)

func TestCPUTime(t *testing.T) {
	before, ok := cpuTime(os.Getpid())
	if !ok {
		t.Fatal("it is not known")
	}
	for began := time.Now(); time.Since(began) < 200*time.Millisecond; {
		_ = make([]byte, 1)
	}
	if after, _ := cpuTime(os.Getpid()); after.used <= before.used {
		t.Errorf("got %s, and %s after having computed", before.used, after.used)
	}
}

// With more threads that compute than processors, some wait.
func TestCPUTime_Waited(t *testing.T) {
	if _, err := os.Stat("/proc/self/schedstat"); err != nil {
		t.Skip("this kernel does not count it")
	}
	defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(2 * runtime.NumCPU()))
	before, _ := cpuTime(os.Getpid())
	began := time.Now()
	var computing sync.WaitGroup
	for range 2 * runtime.NumCPU() {
		computing.Go(func() {
			for time.Since(began) < time.Second {
			}
		})
	}
	time.Sleep(time.Second / 2) // the threads that have ended are not counted
	after, _ := cpuTime(os.Getpid())
	computing.Wait()
	if got := after.waited - before.waited; got < 100*time.Millisecond {
		t.Errorf("got %s", got)
	}
}
