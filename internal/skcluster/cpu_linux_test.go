package skcluster

import (
	"os"
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
	if after, _ := cpuTime(os.Getpid()); after <= before {
		t.Errorf("got %s, and %s after having computed", before, after)
	}
}
