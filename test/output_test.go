package test

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"simkube.io/simkube/internal/results"
)

// An output folder that is not writable is an error at once, and nothing is started or left.
func TestSimulate_OutputRefused(t *testing.T) {
	t.Parallel()
	shop := writeShop(t)
	for name, tc := range map[string]struct{ out, want string }{
		"a file":       {"file", "skctl: file exists and is not a result folder"},
		"below a file": {"file/out", "skctl: --output file/out: look at the output folder: open file/out: not a directory"},
		"unmakeable":   {"/proc/none/out", "skctl: --output /proc/none/out: make the output folder: mkdir /proc/none: no such file or directory"},
	} {
		t.Run(name, func(t *testing.T) {
			s := newSandbox(t)
			if err := os.WriteFile(filepath.Join(s.dir, "file"), nil, 0o600); err != nil {
				t.Fatal(err)
			}
			r := s.skctl("simulate", shop, "-o", tc.out)
			r.check(t, failed)
			wants(t, "standard error", r.stderr, tc.want, "hint: use another --output")
			if strings.Contains(r.stderr, "preparing") {
				t.Errorf("it was started all the same:\n%s", r.stderr)
			}
			empty(t, s.tmp)
			if got := entries(t, s.dir); len(got) != 1 {
				t.Errorf("left behind: %v", got)
			}
		})
	}
}

// Two simulations must not write to the same folder: the second one fails before it starts, and
// does not disturb the first.
func TestSimulate_OutputTaken(t *testing.T) {
	t.Parallel()
	s := newSandbox(t)
	shop := writeShop(t)
	first := s.start("simulate", shop, "-o", "out", "--time", "real")
	first.waitFor("starting")
	r := s.skctl("simulate", shop, "-o", "out")
	r.check(t, failed)
	wants(t, "standard error", r.stderr, "skctl: --output out: another simulation that is under way is going to write its results there")
	first.waitFor("replaying", "events 1/3")
	first.signal(os.Interrupt)
	first.wait().check(t, interrupted)
	if !summary(t, filepath.Join(s.dir, "out")).Run.Interrupted {
		t.Error("the first simulation has no results")
	}
	empty(t, s.tmp)
}

// Results that cannot be written to the output folder are written completely to another one, and
// the command fails with a message.
func TestSimulate_OutputElsewhere(t *testing.T) {
	t.Parallel()
	shop := writeShop(t)
	for name, tc := range map[string]struct {
		args []string
		read func(dir string) error
	}{
		"one run":     {nil, func(dir string) error { _, err := results.Read(dir); return err }},
		"repetitions": {[]string{"-N", "2"}, func(dir string) error { _, err := results.ReadRepetitions(dir); return err }},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := newSandbox(t)
			c := s.start(append([]string{"simulate", shop, "-o", "out", "--time", "real", "--speed", "10"}, tc.args...)...)
			c.waitFor("preparing")
			out := filepath.Join(s.dir, "out")
			// Something else takes the folder's place.
			if err := os.RemoveAll(out); err != nil {
				t.Fatal(err)
			}
			if err := os.WriteFile(out, []byte("mine"), 0o600); err != nil {
				t.Fatal(err)
			}
			r := c.wait()
			r.check(t, failed)
			got := entries(t, s.tmp)
			if len(got) != 1 {
				t.Fatalf("among temporary files there are %v, want the results alone\n%s", got, r.stderr)
			}
			dir := filepath.Join(s.tmp, got[0])
			wants(t, "standard error", r.stderr, "skctl: the results are in "+dir+", because they could not be written to out: ", "hint: move them")
			if err := tc.read(dir); err != nil {
				t.Error(err)
			}
			if data, err := os.ReadFile(out); err != nil || string(data) != "mine" {
				t.Errorf("what took the folder's place is %q now (%v)", data, err)
			}
		})
	}
}

// A full disk is detected before the start. If it is full at the end, the results are not lost.
func TestSimulate_OutputDiskFull(t *testing.T) {
	t.Parallel()
	disk := t.TempDir()
	const more = 4 << 20 // than fits on the disk
	err := syscall.Mount("tmpfs", disk, "tmpfs", 0, "size=2m")
	if errors.Is(err, syscall.EPERM) {
		t.Skip("needs the right to mount a small disk")
	}
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := syscall.Unmount(disk, 0); err != nil {
			t.Error(err)
		}
	})
	s := newSandbox(t)
	out := filepath.Join(disk, "out")
	filler := filepath.Join(disk, "filler")
	fill := func() {
		if err := os.WriteFile(filler, make([]byte, more), 0o600); !errors.Is(err, syscall.ENOSPC) {
			t.Fatalf("fill the disk: %v", err)
		}
	}
	fill()
	r := s.skctl("simulate", writeShop(t), "-o", out)
	r.check(t, failed)
	wants(t, "standard error", r.stderr, "skctl: --output "+out+": the folder cannot be written to: no space left on device")
	if got := entries(t, disk); len(got) != 1 {
		t.Errorf("left on the disk: %v", got)
	}
	if err := os.Remove(filler); err != nil {
		t.Fatal(err)
	}
	c := s.start("simulate", writeShop(t), "-o", out, "--time", "real")
	c.waitFor("replaying", "events 1/3")
	fill()
	c.signal(os.Interrupt)
	r = c.wait()
	r.check(t, interrupted)
	wants(t, "standard error", r.stderr, "because they could not be written to "+out, "no space left on device")
	got := entries(t, s.tmp)
	if len(got) != 1 {
		t.Fatalf("among temporary files there are %v, want the results alone", got)
	}
	if _, err := results.Read(filepath.Join(s.tmp, got[0])); err != nil {
		t.Error(err)
	}
	if got := entries(t, disk); len(got) != 1 {
		t.Errorf("left on the disk: %v", got)
	}
}
