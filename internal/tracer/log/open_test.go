package log

import (
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/cockroachdb/pebble/v2/vfs"
)

func TestOpen_Again(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "made", "by", "open")
	clock := newClock()
	open := func() *Log {
		t.Helper()
		l, err := Open(dir, Options{Clock: clock})
		if err != nil {
			t.Fatal(err)
		}
		return l
	}
	closed := func(l *Log) {
		t.Helper()
		if err := l.Close(); err != nil {
			t.Fatal(err)
		}
		clock.Step(time.Minute)
	}
	closed(open())
	l := open()
	s := snapshot(t, l)
	equal(t, "gaps of an empty log", collect(t, s.Gaps(0, start+1e9)), []Gap(nil))
	if got := s.Begin(); got != start {
		t.Errorf("begin: got %d, want %d, when it was made", got, start)
	}
	s.Close()
	mustAppend(t, l, applied(deployment("a"), "a"))
	closed(l)

	l = open()
	if got := mustAppend(t, l, applied(deployment("b"), "b")); got != 3 {
		t.Errorf("number behind the gap: got %d, want 3", got)
	}
	s = snapshot(t, l)
	equal(t, "gaps", collect(t, s.Gaps(0, start+1e9)), []Gap{{From: start + 60_000, To: start + 120_000}})
	equal(t, "gaps before", collect(t, s.Gaps(0, start+60_000)), []Gap(nil))
	equal(t, "gaps behind", collect(t, s.Gaps(start+120_000, start+1e9)), []Gap(nil))
	if got := len(collect(t, s.Changes(0, start+1e9))); got != 2 {
		t.Errorf("changes: got %d, want 2", got)
	}
	s.Close()
	// A clock that was set back leads neither to gaps that end before they begin nor to entries before
	// others.
	clock.SetTime(time.UnixMilli(start))
	closed(l)
	l = open()
	mustAppend(t, l, applied(deployment("c"), "c"))
	s = snapshot(t, l)
	for g := range s.Gaps(0, start+1e9) {
		if g.To < g.From {
			t.Errorf("got a gap from %d to %d", g.From, g.To)
		}
	}
	last := int64(0)
	for r := range s.Changes(0, start+1e9) {
		if r.Time < last {
			t.Errorf("got time %d behind %d", r.Time, last)
		}
		last = r.Time
	}
	s.Close()
	closed(l)
	if info, err := os.Stat(dir); err != nil || info.Mode().Perm() != 0o700 {
		t.Errorf("directory: got %v, %v, want mode 0700", info.Mode(), err)
	}
	if info, err := os.Stat(filepath.Join(dir, storeFolder)); err != nil || info.Mode().Perm() != 0o700 {
		t.Errorf("store: got %v, %v, want mode 0700", info.Mode(), err)
	}
}

func TestOpen_OtherDirectories(t *testing.T) {
	tests := map[string]struct {
		files map[string]string // a name ending in a slash is a folder
		want  error
		text  string
	}{
		"empty":                 {},
		"root of a volume":      {files: map[string]string{"lost+found/": ""}},
		"interrupted before":    {files: map[string]string{"FORMAT.new": "simku", "LOCK": "", "store/": ""}},
		"somebody's file":       {files: map[string]string{"notes.txt": "x"}, want: ErrNotLog, text: "notes.txt"},
		"somebody's store":      {files: map[string]string{"store/goods": "x"}, want: ErrNotLog, text: "store"},
		"newer":                 {files: map[string]string{"FORMAT": "simkube event log, version 2\n", "store/": ""}, want: ErrNewer, text: "version 2"},
		"another format":        {files: map[string]string{"FORMAT": "mp3"}, want: ErrNotLog, text: "mp3"},
		"a format without more": {files: map[string]string{"FORMAT": "simkube event log, version 1\n"}, want: &CorruptError{}, text: "missing"},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			for name, content := range test.files {
				path := filepath.Join(dir, name)
				if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
					t.Fatal(err)
				}
				if !strings.HasSuffix(name, "/") {
					if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
						t.Fatal(err)
					}
				} else if err := os.MkdirAll(path, 0o700); err != nil {
					t.Fatal(err)
				}
			}
			before := listing(t, dir)
			l, err := Open(dir, Options{})
			if test.want == nil {
				if err != nil {
					t.Fatal(err)
				}
				mustAppend(t, l, applied(deployment("a"), "a"))
				if err := l.Close(); err != nil {
					t.Fatal(err)
				}
				return
			}
			var damage *CorruptError
			if wantDamage := errors.As(test.want, &damage); wantDamage && !errors.As(err, &damage) || !wantDamage && !errors.Is(err, test.want) {
				t.Fatalf("got %v, want %v", err, test.want)
			}
			for _, want := range []string{test.text, dir} {
				if !strings.Contains(err.Error(), want) {
					t.Errorf("got %q, want %q in it", err, want)
				}
			}
			if damage == nil {
				equal(t, "the directory", listing(t, dir), before)
			}
		})
	}
}

// listing returns the contents of every file below a directory.
func listing(t *testing.T, dir string) map[string]string {
	t.Helper()
	all := map[string]string{}
	err := filepath.WalkDir(dir, func(path string, e os.DirEntry, err error) error {
		if err != nil || e.IsDir() {
			all[path] = ""
			return err
		}
		content, err := os.ReadFile(path)
		all[path] = string(content)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return all
}

func TestOpen_InUse(t *testing.T) {
	dir := t.TempDir()
	mustOpen(t, dir, Options{})
	if _, err := Open(dir, Options{}); !errors.Is(err, ErrInUse) {
		t.Errorf("in the same process: got %v, want %v", err, ErrInUse)
	}
	cmd := exec.CommandContext(t.Context(), os.Args[0], "-test.run=^TestOpen_InUseChild$")
	cmd.Env = append(os.Environ(), childDir+"="+dir)
	out, err := cmd.CombinedOutput()
	if err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
}

// childDir passes the log's directory to the child process of a test.
const childDir = "SIMKUBE_LOG_TEST_DIR"

func TestOpen_InUseChild(t *testing.T) {
	dir := os.Getenv(childDir)
	if dir == "" {
		t.Skip("runs as a child of TestOpen_InUse")
	}
	if _, err := Open(dir, Options{}); !errors.Is(err, ErrInUse) {
		t.Errorf("got %v, want %v", err, ErrInUse)
	}
}

func TestLog_Close(t *testing.T) {
	l := mustOpen(t, t.TempDir(), Options{})
	mustAppend(t, l, applied(deployment("a"), "a"))
	if err := l.Close(); err != nil {
		t.Fatal(err)
	}
	if _, err := l.Append(t.Context(), applied(deployment("b"), "b")); !errors.Is(err, ErrClosed) {
		t.Errorf("append: got %v, want %v", err, ErrClosed)
	}
	if _, err := l.Snapshot(); !errors.Is(err, ErrClosed) {
		t.Errorf("snapshot: got %v, want %v", err, ErrClosed)
	}
	for _, err := range l.Objects() {
		if !errors.Is(err, ErrClosed) {
			t.Errorf("objects: got %v, want %v", err, ErrClosed)
		}
	}
	if got := l.Stats().Appended; got != 1 {
		t.Errorf("appended: got %d, want 1", got)
	}
	if err := l.Close(); !errors.Is(err, ErrClosed) {
		t.Errorf("again: got %v, want %v", err, ErrClosed)
	}
}

// TestOpen_GapSinceComplete checks that a log with Options.CompleteUntil has a gap from that time
// on.
func TestOpen_GapSinceSure(t *testing.T) {
	clock, dir := newClock(), t.TempDir()
	var complete atomic.Int64
	open := func() *Log {
		t.Helper()
		l, err := Open(dir, Options{Clock: clock, CompleteUntil: complete.Load})
		if err != nil {
			t.Fatal(err)
		}
		return l
	}
	for i, step := range []struct{ complete, want int64 }{
		{0, start}, // never complete
		{start + 5_000, start + 5_000},
		{0, start + 5_000}, // the next one keeps the previous value
		{start + 1_000, start + 5_000},
		{start + 1e9, start + 240_000}, // not in the future
	} {
		l := open()
		complete.Store(step.complete)
		mustAppend(t, l, applied(deployment("a"), "a"))
		if err := l.Close(); err != nil {
			t.Fatal(err)
		}
		complete.Store(0)
		clock.Step(time.Minute)
		l = open()
		if got := l.CompleteAtOpen(); got != step.want {
			t.Errorf("step %d: got %d ms complete, want %d", i, got-start, step.want-start)
		}
		s := snapshot(t, l)
		gaps := collect(t, s.Gaps(0, 1<<62))
		s.Close()
		if last := gaps[len(gaps)-1]; last.From != step.want || last.To != clock.Now().UnixMilli() {
			t.Errorf("step %d: got a gap from %d to %d ms, want it from %d to now", i, last.From-start, last.To-start, step.want-start)
		}
		if err := l.Close(); err != nil {
			t.Fatal(err)
		}
	}
}

// TestLog_Heartbeat checks that a log that is not appended to stores that it is complete, so that a
// gap does not begin with the last entry.
func TestLog_Heartbeat(t *testing.T) {
	fsys := vfs.NewCrashableMem()
	clock := newClock()
	l := mustOpen(t, "/dir", Options{Clock: clock, fs: fsys})
	if err := l.Sync(t.Context(), mustAppend(t, l, applied(deployment("a"), "a"))); err != nil {
		t.Fatal(err)
	}
	complete := func() int64 {
		_, end, err := readBounds(l.db)
		if err != nil {
			t.Fatal(err)
		}
		return end.completeUntil
	}
	for deadline := time.Now().Add(time.Minute); complete() < start+60_000; {
		if time.Now().After(deadline) {
			t.Fatal("no heartbeat")
		}
		clock.Step(heartbeat)
		runtime.Gosched()
	}
	was := complete()
	crashed := fsys.CrashClone(vfs.CrashCloneCfg{})
	clock.Step(time.Hour)
	again := mustOpen(t, "/dir", Options{Clock: clock, fs: crashed})
	gaps := collect(t, snapshot(t, again).Gaps(0, 1<<62))
	if len(gaps) != 1 || gaps[0].From < was || gaps[0].To < gaps[0].From+3_600_000 {
		t.Errorf("gaps: got %v, want one of an hour from %d on", gaps, was)
	}
}
