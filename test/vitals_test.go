package test

import (
	"bufio"
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"simkube.io/simkube/internal/simulation"
	"simkube.io/simkube/internal/skcluster"
)

// vital is what a simulation's process and its store use at one time of the trace.
type vital struct {
	at time.Duration // since the start of the trace
	// memory is the process's resident memory, heap the part that is not mapped files; store is the
	// size of etcd's database, logs the number of files of its write-ahead log.
	memory, heap, store float64 // MB
	logs                float64
}

// vitals samples a simulation while it is running.
type vitals struct {
	run     string // value of runVariable
	pid     int
	dir     string // of the control plane's data
	log     *os.File
	samples []vital
	err     error // the first of a failed sample
}

// follow prepares to sample a simulation with these options. It marks its process and files.
func follow(tb testing.TB, opts *skcluster.Options) *vitals {
	tb.Helper()
	if _, err := os.Stat("/proc/self/environ"); err != nil {
		tb.Skip("what a process takes up is in /proc alone")
	}
	tmp := tb.TempDir()
	v := &vitals{run: tmp}
	tb.Cleanup(func() { _ = v.log.Close() })
	opts.LogDir, opts.OnMessage = tmp, v.observe
	opts.Env = append(opts.Env, "TMPDIR="+tmp, runVariable+"="+v.run)
	return v
}

// observe takes a sample whenever the simulation reports its progress.
func (v *vitals) observe(m simulation.Message) {
	p := m.Progress
	if v.log == nil {
		// The log is removed at the end, but stays readable through an open file.
		if found, _ := filepath.Glob(filepath.Join(v.run, "skctl-*", "log.txt")); len(found) == 1 {
			v.log, v.err = os.Open(found[0])
		}
	}
	if v.err != nil || p == nil || p.Phase != simulation.Replaying || p.TraceTime.IsZero() {
		return
	}
	if v.dir == "" {
		if v.pid, v.dir = controlPlane(v.run); v.dir == "" {
			v.err = fmt.Errorf("no sk-cluster with a folder of data runs as %s", v.run)
			return
		}
	}
	sample, err := v.sample(p.TraceTime.Sub(p.TraceStart))
	if err != nil {
		v.err = err
		return
	}
	v.samples = append(v.samples, sample)
}

func controlPlane(run string) (pid int, dir string) {
	for _, pid := range processes(run) {
		for _, dir := range dataDirs(pid) {
			if _, err := os.Stat(filepath.Join(dir, "etcd")); err == nil {
				return pid, dir
			}
		}
	}
	return 0, ""
}

func (v *vitals) sample(at time.Duration) (vital, error) {
	const megabyte = 1e6
	status, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", v.pid))
	if err != nil {
		return vital{}, err
	}
	sample := vital{at: at}
	lines := bufio.NewScanner(bytes.NewReader(status))
	for lines.Scan() {
		field, value, _ := strings.Cut(lines.Text(), ":")
		kib, err := strconv.ParseFloat(strings.TrimSpace(strings.TrimSuffix(value, "kB")), 64)
		switch {
		case err != nil:
		case field == "VmRSS":
			sample.memory = kib * 1024 / megabyte
		case field == "RssAnon":
			sample.heap = kib * 1024 / megabyte
		}
	}
	store, err := os.Stat(filepath.Join(v.dir, "etcd", "member", "snap", "db"))
	if err != nil {
		return vital{}, err
	}
	sample.store = float64(store.Size()) / megabyte
	logs, err := filepath.Glob(filepath.Join(v.dir, "etcd", "member", "wal", "*.wal"))
	if err != nil {
		return vital{}, err
	}
	sample.logs = float64(len(logs))
	return sample, nil
}

// median returns the median of the samples in a part of the trace.
func (v *vitals) median(from, to time.Duration) (vital, error) {
	var in []vital
	for _, sample := range v.samples {
		if sample.at >= from && sample.at < to {
			in = append(in, sample)
		}
	}
	if len(in) == 0 {
		return vital{}, fmt.Errorf("no sample between %s and %s", from, to)
	}
	of := func(value func(vital) float64) float64 {
		values := make([]float64, len(in))
		for i := range in {
			values[i] = value(in[i])
		}
		slices.Sort(values)
		return values[len(values)/2]
	}
	return vital{
		at:     from,
		memory: of(func(s vital) float64 { return s.memory }),
		heap:   of(func(s vital) float64 { return s.heap }),
		store:  of(func(s vital) float64 { return s.store }),
		logs:   of(func(s vital) float64 { return s.logs }),
	}, nil
}
