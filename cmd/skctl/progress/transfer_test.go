package progress

import (
	"bytes"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	testclock "k8s.io/utils/clock/testing"
)

func TestTransfer(t *testing.T) {
	for name, tc := range map[string]struct {
		live bool
		want string
	}{
		"live": {true, "\r\x1b[J" + "waiting\n" +
			"\x1b[1A\r\x1b[J" + "waiting  1.00 kB\n" +
			"\x1b[1A\r\x1b[J" + "waiting  3.00 kB, 10.0 kB/s\n" +
			"\x1b[1A\r\x1b[J"},
		"lines": {false, "waiting\n"},
	} {
		t.Run(name, func(t *testing.T) {
			clock := testclock.NewFakePassiveClock(time.Unix(0, 0))
			var out bytes.Buffer
			transfer := NewTransfer(&out, "waiting", Options{Live: tc.live, Clock: clock})
			for _, ms := range []int{250, 100, 200} {
				clock.SetTime(clock.Now().Add(time.Duration(ms) * time.Millisecond))
				transfer.Add(1000)
			}
			transfer.Close()
			transfer.Close()
			if diff := cmp.Diff(tc.want, out.String()); diff != "" {
				t.Errorf("output (-want +got):\n%s", diff)
			}
		})
	}
}

func TestTransfer_Lines(t *testing.T) {
	clock := testclock.NewFakePassiveClock(time.Unix(0, 0))
	var out bytes.Buffer
	transfer := NewTransfer(&out, "exporting", Options{Clock: clock})
	for range 25 {
		clock.SetTime(clock.Now().Add(time.Second))
		transfer.Add(1_500_000)
	}
	transfer.Close()
	want := "exporting\nexporting: 15.0 MB, 1.67 MB/s\nexporting: 30.0 MB, 1.58 MB/s\n"
	if diff := cmp.Diff(want, out.String()); diff != "" {
		t.Errorf("output (-want +got):\n%s", diff)
	}
}

func TestTransfer_Narrow(t *testing.T) {
	clock := testclock.NewFakePassiveClock(time.Unix(0, 0))
	var out bytes.Buffer
	transfer := NewTransfer(&out, "exporting", Options{Live: true, Clock: clock, Width: func() int { return 8 }})
	transfer.Close()
	if want := "\r\x1b[Jexport…\n\x1b[1A\r\x1b[J"; out.String() != want {
		t.Errorf("output is %q, want %q", out.String(), want)
	}
}

func TestBytes(t *testing.T) {
	for n, want := range map[int64]string{
		0: "0 B", 999: "999 B", 1000: "1.00 kB", 9994: "9.99 kB", 9996: "10.0 kB", 123_456: "123 kB", 999_499: "999 kB", 999_500: "1.00 MB",
		12_345_678: "12.3 MB", 5_000_000_000: "5.00 GB", 7_000_000_000_000_000: "7000 TB",
	} {
		if got := Bytes(n); got != want {
			t.Errorf("Bytes(%d) = %q, want %q", n, got, want)
		}
	}
}
