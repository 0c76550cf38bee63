package test

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"
)

// processes returns the running processes that a sandbox has started. Without /proc it finds none.
func processes(run string) []int {
	var out []int
	found, _ := filepath.Glob("/proc/[0-9]*/environ")
	for _, path := range found {
		environ, err := os.ReadFile(path)
		if err != nil || !bytes.Contains(environ, []byte(runVariable+"="+run+"\x00")) {
			continue
		}
		pid, err := strconv.Atoi(filepath.Base(filepath.Dir(path)))
		if err == nil && pid != os.Getpid() {
			out = append(out, pid)
		}
	}
	return out
}

// childOf returns the sk-cluster that a skctl has started, whatever its environment.
func childOf(t *testing.T, parent int) int {
	t.Helper()
	found, _ := filepath.Glob("/proc/[0-9]*/stat")
	for _, path := range found {
		stat, err := os.ReadFile(path)
		if err != nil {
			continue // it has ended
		}
		pid, err := strconv.Atoi(filepath.Base(filepath.Dir(path)))
		fields := strings.Fields(string(stat[bytes.LastIndexByte(stat, ')')+1:]))
		if err == nil && len(fields) > 1 && fields[1] == strconv.Itoa(parent) {
			return pid
		}
	}
	t.Fatal("no sk-cluster runs")
	return 0
}

// waitEnded waits until a process has ended.
func waitEnded(t *testing.T, pid int) {
	t.Helper()
	for {
		// A zombie has no executable.
		if _, err := os.Readlink(fmt.Sprintf("/proc/%d/exe", pid)); err != nil {
			return
		}
		select {
		case <-t.Context().Done():
			t.Fatal(t.Context().Err())
		case <-time.After(20 * time.Millisecond):
		}
	}
}

// child returns the sk-cluster of a sandbox, and its data folders.
func (s *sandbox) child() (pid int, dirs []string) {
	s.t.Helper()
	if _, err := os.Stat("/proc/self/environ"); err != nil {
		s.t.Skip("processes can only be found in /proc")
	}
	for _, pid := range processes(s.run) {
		exe, err := os.Readlink(fmt.Sprintf("/proc/%d/exe", pid))
		if name := filepath.Base(exe); err != nil || name != "sk-cluster" && name != "sk-cluster-virtual" {
			continue
		}
		return pid, dataDirs(pid)
	}
	s.t.Fatal("no sk-cluster runs")
	return 0, nil
}

// dataDirs returns the temporary folders in which a process has open files.
func dataDirs(pid int) []string {
	links, _ := filepath.Glob(fmt.Sprintf("/proc/%d/fd/*", pid))
	seen := map[string]bool{}
	var out []string
	for _, link := range links {
		target, err := os.Readlink(link)
		if err != nil {
			continue
		}
		before, rest, ok := strings.Cut(target, "/simkube-")
		if !ok {
			continue
		}
		name, _, inside := strings.Cut(rest, "/")
		if dir := before + "/simkube-" + name; inside && !seen[dir] {
			seen[dir] = true
			out = append(out, dir)
		}
	}
	return out
}

// waitGone waits until all processes that a sandbox has started have ended.
func (s *sandbox) waitGone() {
	s.t.Helper()
	for len(processes(s.run)) > 0 {
		select {
		case <-s.t.Context().Done():
			s.t.Fatal(s.t.Context().Err())
		case <-time.After(20 * time.Millisecond):
		}
	}
}

func gone(t *testing.T, dirs []string) {
	t.Helper()
	if len(dirs) == 0 {
		t.Error("the control plane had no folder of data: this test looks in the wrong place")
	}
	for _, dir := range dirs {
		if _, err := os.Stat(dir); !os.IsNotExist(err) {
			t.Errorf("the control plane left %s behind (%v)", dir, err)
		}
	}
}

func kill(t *testing.T, pid int) {
	t.Helper()
	if err := syscall.Kill(pid, syscall.SIGKILL); err != nil {
		t.Fatal(err)
	}
}

// removeAfter removes the data of a killed control plane, as the next one to start would.
func removeAfter(t *testing.T, dirs []string) {
	t.Cleanup(func() {
		for _, dir := range dirs {
			if err := os.RemoveAll(dir); err != nil {
				t.Error(err)
			}
		}
	})
}
