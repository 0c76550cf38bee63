package test

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"simkube.io/simkube/internal/results"
	"simkube.io/simkube/internal/scratch"
)

// endingsVariable, set to full, makes TestEndings test every phase at its full size.
const endingsVariable = "SIMKUBE_ENDINGS"

// answerTime is how long an interrupt or the end of skctl may take to end everything; tests grant
// it a machine that is busy with other tests. docs/contributing/endings.md has what it takes.
const answerTime = 30 * time.Second

// phase is a state of a simulation.
type phase struct {
	name  string
	clock string // a flag's value
	trace func(t *testing.T) string
	args  []string
	// line is what skctl has said by then, and after is how long ago.
	line  []string
	after time.Duration
	// reports says that there are results by then; full that it is tried at full size alone.
	reports, full bool
}

func phases(full bool) []phase {
	pods, events, results, nodes := 500, 20_000, 200, "20"
	soon := time.Second
	if full {
		pods, events, results, nodes = 100_000, 400_000, 3_000, "500"
		soon = 15 * time.Second
	}
	idle := func(t *testing.T) string { return burst(t, 10) }
	busy := func(t *testing.T) string { return burst(t, pods) }
	large := func(t *testing.T) string { return manyEvents(t, events) }
	spaces := func(t *testing.T) string { return manyNamespaces(t, 3_000) }
	some := func(t *testing.T) string { return burst(t, results) }
	hurry := []string{"--nodes", nodes, "--kube-api-qps", "-1"}
	seeded := func(args ...string) []string { return append([]string{"--seed", "7"}, args...) }
	var out []phase
	for _, clock := range []string{"virtual", "real"} {
		out = append(out,
			phase{name: "reading", clock: clock, trace: large, line: []string{"preparing"}, after: 200 * time.Millisecond},
			phase{name: "boot", clock: clock, trace: idle, line: []string{"starting"}, after: 500 * time.Millisecond},
			phase{name: "nodes", clock: clock, trace: idle, args: []string{"--nodes", "3000"}, line: []string{"nodes, events"}, after: 500 * time.Millisecond},
			phase{name: "burst", clock: clock, trace: busy, args: hurry, line: []string{"replaying", "events 1/2"}, after: soon, reports: true},
			phase{name: "namespaces", clock: clock, trace: spaces, args: hurry, line: []string{"replaying"}, after: soon, full: true},
			phase{name: "idle", clock: clock, trace: idle, line: []string{"replaying", "events 1/2"}, after: time.Second, reports: true},
			phase{name: "settling", clock: clock, trace: some, args: append([]string{"--duration", "30s"}, hurry...), line: []string{"settling"}, reports: true},
			phase{name: "reporting", clock: clock, trace: some, args: append([]string{"--duration", "30s"}, hurry...), line: []string{"reporting"}, reports: true},
		)
	}
	return append(out,
		phase{name: "burst, seed", clock: "virtual", trace: busy, args: seeded(hurry...), line: []string{"replaying", "events 1/2"}, after: soon, reports: true},
		phase{name: "reading, seed", clock: "virtual", trace: large, args: seeded(), line: []string{"preparing"}, after: 200 * time.Millisecond, full: true},
		phase{name: "namespaces, seed", clock: "virtual", trace: spaces, args: seeded(hurry...), line: []string{"replaying"}, after: soon, full: true},
	)
}

// stroke ends a simulation.
type stroke struct {
	name string
	deal func(c *command, child int)
}

func strokes() []stroke {
	signal := func(s syscall.Signal) func(*command, int) { return func(c *command, _ int) { c.signal(s) } }
	return []stroke{
		{"Ctrl-C", signal(syscall.SIGINT)},
		{"SIGTERM", signal(syscall.SIGTERM)},
		{"kill -9 skctl", signal(syscall.SIGKILL)},
		{"kill -9 sk-cluster", func(c *command, child int) { kill(c.t, child) }},
	}
}

// endings is a table of the seconds that each ending took.
type endings struct {
	mu   sync.Mutex // guards took
	took map[string]map[string]string
}

func (e *endings) set(row, column, text string) {
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.took[row] == nil {
		e.took[row] = map[string]string{}
	}
	e.took[row][column] = text
}

func (e *endings) print(rows []string) string {
	var b strings.Builder
	b.WriteString("| phase |")
	for _, s := range strokes() {
		b.WriteString(" " + s.name + " |")
	}
	b.WriteString("\n| --- |" + strings.Repeat(" --- |", len(strokes())) + "\n")
	for _, row := range rows {
		b.WriteString("| " + row + " |")
		for _, s := range strokes() {
			b.WriteString(" " + e.took[row][s.name] + " |")
		}
		b.WriteString("\n")
	}
	return b.String()
}

// However and whenever a simulation is ended, it ends soon, and leaves no processes and no files
// except its results and, after a crash, its log.
func TestEndings(t *testing.T) {
	t.Parallel()
	full := os.Getenv(endingsVariable) == "full"
	table := &endings{took: map[string]map[string]string{}}
	var rows []string
	t.Run("all", func(t *testing.T) {
		for _, p := range phases(full) {
			if p.full && !full {
				continue
			}
			row := p.name + ", " + p.clock + " time"
			rows = append(rows, row)
			for i, s := range strokes() {
				// All four endings of each phase are for the full table. One per phase, in turn, covers all of
				// them.
				if !full && i != len(rows)%len(strokes()) {
					continue
				}
				t.Run(row+"/"+s.name, func(t *testing.T) {
					if !full {
						t.Parallel()
					}
					table.set(row, s.name, fmt.Sprintf("%.1f", end(t, p, s).Seconds()))
				})
			}
		}
	})
	t.Logf("seconds from the signal until no process was left:\n%s", table.print(rows))
}

// end ends a simulation, checks what is left, and returns how long that took.
func end(t *testing.T, p phase, s stroke) time.Duration {
	t.Helper()
	box := newSandbox(t)
	args := append([]string{"simulate", p.trace(t), "-o", "made/out", "--time", p.clock}, p.args...)
	c := box.start(args...)
	c.waitFor(p.line...)
	time.Sleep(p.after)
	child := childOf(t, c.cmd.Process.Pid)
	began := time.Now()
	s.deal(c, child)
	r := c.wait()
	waitEnded(t, child)
	took := time.Since(began)
	t.Logf("it took %.1f s", took.Seconds())
	if took > answerTime {
		t.Errorf("it took %s, want no more than %s", took, answerTime)
	}
	box.checkLeft(r, p, s, child)
	return took
}

// checkLeft checks what an ended simulation has left.
func (s *sandbox) checkLeft(r result, p phase, by stroke, child int) {
	t := s.t
	t.Helper()
	data, err := filepath.Glob(filepath.Join(scratch.DataParent(), fmt.Sprintf("%s%07d-*", scratch.DataPrefix, child)))
	if err != nil || len(data) > 0 {
		t.Errorf("data of the control plane was left: %v (%v)", data, err)
	}
	if strings.HasPrefix(by.name, "kill") {
		left := entries(t, s.tmp)
		if by.name == "kill -9 sk-cluster" && r.code != done {
			// The log of a crash is kept on purpose.
			left = slices.DeleteFunc(left, func(name string) bool { return strings.HasPrefix(name, scratch.LogPrefix) })
		}
		if len(left) > 0 {
			t.Errorf("left among temporary files: %v", left)
		}
		s.checkOutput(false)
		return
	}
	// It had ended before the signal arrived.
	over := r.code == done && (p.name == "settling" || p.name == "reporting")
	if r.code != interrupted && !over {
		t.Errorf("exit code %d, want %d\n%s%s", r.code, interrupted, r.stdout, r.stderr)
	}
	empty(t, s.tmp)
	s.checkOutput(p.reports)
}

// checkOutput fails if the output folder is incomplete: it must have results, or not exist. With
// want it must have them.
func (s *sandbox) checkOutput(want bool) {
	t := s.t
	t.Helper()
	out := filepath.Join(s.dir, "made", "out")
	if _, err := os.Stat(filepath.Join(s.dir, "made")); os.IsNotExist(err) {
		if want {
			t.Error("there are no results")
		}
		return
	}
	if _, err := results.Read(out); err != nil {
		t.Errorf("the output folder is not whole: %v", err)
	}
	for _, name := range entries(t, out) {
		if strings.HasPrefix(name, ".") {
			t.Errorf("%s was left in the output folder", name)
		}
	}
}

func entries(t *testing.T, dir string) []string {
	t.Helper()
	list, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	var out []string
	for _, entry := range list {
		out = append(out, entry.Name())
	}
	return out
}
