package log

import (
	"errors"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/cockroachdb/pebble/v2"
	"github.com/cockroachdb/pebble/v2/vfs"
	"github.com/cockroachdb/pebble/v2/vfs/errorfs"
)

// damagedEntries is the number of entries in the logs to be damaged. The last few are only in the
// write-ahead log.
const damagedEntries = 3000

// newLog makes a log in the state that a killed process would leave.
func newLog(t *testing.T) string {
	t.Helper()
	dir, left := t.TempDir(), t.TempDir()
	clock := newClock()
	l := mustOpen(t, dir, Options{Clock: clock})
	changes := newObjects(1, 100)
	for i := range damagedEntries {
		clock.Step(1)
		seq := mustAppend(t, l, changes.next())
		// The write-ahead log stores after each commit how far it was written.
		if i%20 == 0 {
			if err := l.Sync(t.Context(), seq); err != nil {
				t.Fatal(err)
			}
		}
		if i == damagedEntries-500 {
			if _, err := l.flush(); err != nil {
				t.Fatal(err)
			}
			if err := l.db.Flush(); err != nil {
				t.Fatal(err)
			}
		}
	}
	mustAppend(t, l, &Pod{UID: "a", Created: 1}, &Node{UID: "b", From: 1})
	if _, err := l.flush(); err != nil {
		t.Fatal(err)
	}
	if err := os.CopyFS(left, os.DirFS(dir)); err != nil {
		t.Fatal(err)
	}
	return left
}

// newestFile returns the newest file of the store that matches a pattern.
func newestFile(t *testing.T, dir, pattern string) string {
	t.Helper()
	files, err := filepath.Glob(filepath.Join(dir, storeFolder, pattern))
	if err != nil || len(files) == 0 {
		t.Fatalf("no %s in %s: %v", pattern, dir, err)
	}
	return slices.Max(files)
}

func size(t *testing.T, path string) int64 {
	t.Helper()
	info, err := os.Stat(path)
	if err != nil {
		t.Fatal(err)
	}
	return info.Size()
}

func flip(t *testing.T, path string, at float64) {
	t.Helper()
	content, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	content[int(at*float64(len(content)))] ^= 0x40
	if err := os.WriteFile(path, content, 0o600); err != nil {
		t.Fatal(err)
	}
}

func truncate(t *testing.T, path string, n int64) {
	t.Helper()
	if err := os.Truncate(path, n); err != nil {
		t.Fatal(err)
	}
}

// change changes the database of a log directly.
func change(t *testing.T, dir string, how func(*pebble.DB) error) {
	t.Helper()
	db, err := openStore(vfs.Default, filepath.Join(dir, storeFolder), true, false, slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(how(db), db.Close()); err != nil {
		t.Fatal(err)
	}
}

// firstKey returns the first key of a space.
func firstKey(t *testing.T, db *pebble.DB, s space) []byte {
	t.Helper()
	for kv, err := range scan(db, s.first(), s.end()) {
		if err != nil {
			t.Fatal(err)
		}
		return slices.Clone(kv.key)
	}
	t.Fatalf("no key begins with %c", s)
	return nil
}

var damages = map[string]struct {
	damage func(t *testing.T, dir string) (file string)
	// want is a part of the error; lost means that there is no error, and entries are missing at the
	// end.
	want string
	lost bool
}{
	"none": {damage: func(*testing.T, string) string { return "" }},
	"table flipped at the beginning": {damage: func(t *testing.T, dir string) string {
		f := newestFile(t, dir, "*.sst")
		flip(t, f, 0.01)
		return f
	}, want: "checksum"},
	"table flipped in the middle": {damage: func(t *testing.T, dir string) string {
		f := newestFile(t, dir, "*.sst")
		flip(t, f, 0.5)
		return f
	}, want: "checksum"},
	"table flipped in the footer": {damage: func(t *testing.T, dir string) string {
		f := newestFile(t, dir, "*.sst")
		flip(t, f, 0.99999)
		return f
	}, want: "damaged"},
	"table cut": {damage: func(t *testing.T, dir string) string {
		f := newestFile(t, dir, "*.sst")
		truncate(t, f, size(t, f)/2)
		return f
	}, want: "size"},
	"table missing": {damage: func(t *testing.T, dir string) string {
		f := newestFile(t, dir, "*.sst")
		if err := os.Remove(f); err != nil {
			t.Fatal(err)
		}
		return strings.TrimSuffix(filepath.Base(f), ".sst")
	}, want: "damaged"},
	"manifest flipped": {damage: func(t *testing.T, dir string) string {
		flip(t, newestFile(t, dir, "MANIFEST-*"), 0.1)
		return "MANIFEST"
	}, want: "damaged"},
	"manifest missing": {damage: func(t *testing.T, dir string) string {
		f := newestFile(t, dir, "MANIFEST-*")
		if err := os.Remove(f); err != nil {
			t.Fatal(err)
		}
		return "MANIFEST"
	}, want: "damaged"},
	"everything of the store missing": {damage: func(t *testing.T, dir string) string {
		if err := os.RemoveAll(filepath.Join(dir, storeFolder)); err != nil {
			t.Fatal(err)
		}
		return storeFolder
	}, want: "missing"},
	// These entries were possibly not reported as durable.
	"write-ahead log torn": {damage: func(t *testing.T, dir string) string {
		f := newestFile(t, dir, "*.log")
		truncate(t, f, lastByte(t, f)-10)
		return f
	}, lost: true},
	"write-ahead log flipped": {damage: func(t *testing.T, dir string) string {
		f := newestFile(t, dir, "*.log")
		flip(t, f, 0.5*float64(lastByte(t, f))/float64(size(t, f)))
		return storeFolder
	}, want: "damaged"},
	"entry missing": {damage: func(t *testing.T, dir string) string {
		change(t, dir, func(db *pebble.DB) error { return db.Delete(entryKey(5), pebble.Sync) })
		return ""
	}, want: "in place of entry 5"},
	"entry cut": {damage: func(t *testing.T, dir string) string {
		change(t, dir, func(db *pebble.DB) error {
			return db.Set(entryKey(5), appendEntryHead(nil, changeEntry, start), pebble.Sync)
		})
		return ""
	}, want: "entry 5: ends early"},
	"version missing": {damage: func(t *testing.T, dir string) string {
		change(t, dir, func(db *pebble.DB) error { return db.Delete(firstKey(t, db, versionSpace), pebble.Sync) })
		return ""
	}, want: "3000 changes have 2999 versions"},
	"version of another content": {damage: func(t *testing.T, dir string) string {
		change(t, dir, func(db *pebble.DB) error {
			return db.Set(firstKey(t, db, versionSpace), appendVersion(nil, start, applied(deployment("a"), "a")), pebble.Sync)
		})
		return ""
	}, want: "differs from its entry"},
	"live pod forgotten": {damage: func(t *testing.T, dir string) string {
		change(t, dir, func(db *pebble.DB) error { return db.Delete(firstKey(t, db, livePodSpace), pebble.Sync) })
		return ""
	}, want: "missing"},
	"something else's key": {damage: func(t *testing.T, dir string) string {
		change(t, dir, func(db *pebble.DB) error { return db.Set([]byte("zebra"), nil, pebble.Sync) })
		return ""
	}, want: "unknown key"},
	"end missing": {damage: func(t *testing.T, dir string) string {
		change(t, dir, func(db *pebble.DB) error { return db.Delete(endKey(), pebble.Sync) })
		return ""
	}, want: "its beginning and end"},
}

// lastByte returns the offset after the last byte of a file that is not zero, since write-ahead
// logs are preallocated.
func lastByte(t *testing.T, path string) int64 {
	t.Helper()
	content, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return int64(len(strings.TrimRight(string(content), "\x00")))
}

func TestCheck_Damages(t *testing.T) {
	for name, test := range damages {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			dir := newLog(t)
			file := test.damage(t, dir)
			err := Check(t.Context(), dir)
			if test.want == "" {
				if err != nil {
					t.Fatal(err)
				}
				l := mustOpen(t, dir, Options{})
				n := l.Stats().Appended
				if want := Seq(damagedEntries + 3); n > want || !test.lost && n != want || test.lost && n == want {
					t.Errorf("entries: got %d of %d, lost is %v", n, want, test.lost)
				}
				return
			}
			var damage *CorruptError
			if !errors.As(err, &damage) {
				t.Fatalf("got %v, want a CorruptError", err)
			}
			for _, want := range []string{test.want, filepath.Base(file), dir} {
				if file == "" && want == "." {
					continue
				}
				if !strings.Contains(err.Error(), want) {
					t.Errorf("got %q, want %q in it", err, want)
				}
			}
		})
	}
}

// TestLog_DamagedTable checks that reading damaged tables, for an export or after opening the log
// again, returns errors that name the file.
func TestLog_DamagedTable(t *testing.T) {
	dir := newLog(t)
	file := newestFile(t, dir, "*.sst")
	for i := range 99 {
		flip(t, file, float64(i)/100)
	}
	read := func() error {
		l, err := Open(dir, Options{})
		if err != nil {
			return err
		}
		defer l.Close()
		s, err := l.Snapshot()
		if err != nil {
			return err
		}
		defer s.Close()
		for _, err := range s.Changes(0, 1<<62) {
			if err != nil {
				return err
			}
		}
		return nil
	}
	err := read()
	var damage *CorruptError
	if !errors.As(err, &damage) || filepath.Base(damage.Path) != filepath.Base(file) {
		t.Fatalf("got %v, want a CorruptError of %s", err, file)
	}
}

// TestLog_DiskFails checks that an error of the disk makes the log fail permanently, and that what
// was not written does not count as durable.
func TestLog_DiskFails(t *testing.T) {
	fail := errorfs.ErrInjected
	var toggle errorfs.Toggle
	toggle.Injector = errorfs.InjectorFunc(func(op errorfs.Op) error {
		if strings.HasSuffix(op.Path, ".log") && (op.Kind == errorfs.OpFileSync || op.Kind == errorfs.OpFileSyncData || op.Kind == errorfs.OpFileWrite) {
			return fail
		}
		return nil
	})
	l, err := Open("/dir", Options{fs: errorfs.Wrap(vfs.NewMem(), &toggle)})
	if err != nil {
		t.Fatal(err)
	}
	good := mustAppend(t, l, applied(deployment("a"), "a"))
	if err := l.Sync(t.Context(), good); err != nil {
		t.Fatal(err)
	}
	toggle.On()
	bad := mustAppend(t, l, applied(deployment("b"), "b"))
	if err := l.Sync(t.Context(), bad); err == nil {
		t.Fatal("synced on a disk that fails")
	}
	toggle.Off()
	if _, err := l.Append(t.Context(), applied(deployment("c"), "c")); err == nil {
		t.Error("appended to a log that failed")
	}
	if _, err := l.Snapshot(); err == nil {
		t.Error("took a snapshot of a log that failed")
	}
	if got := l.Stats().Durable; got != good {
		t.Errorf("durable: got %d, want %d", got, good)
	}
	if err := l.Close(); err == nil || errors.Is(err, ErrClosed) {
		t.Errorf("close: got %v, want why it failed", err)
	}
}
