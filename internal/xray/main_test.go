package xray

import (
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"

	tea "charm.land/bubbletea/v2"
	"github.com/charmbracelet/x/ansi"
	"github.com/google/go-cmp/cmp"
	"go.uber.org/goleak"

	"simkube.io/simkube/internal/prerequisite"
	"simkube.io/simkube/internal/timeline"
)

var update = flag.Bool("update", false, "write the golden files anew")

// TestMain checks for leaked goroutines, except the one of bubbletea that reads the terminal: if
// the program panics, it stays blocked on its latest input.
func TestMain(m *testing.M) {
	goleak.VerifyTestMain(m, goleak.IgnoreAnyFunction("github.com/charmbracelet/ultraviolet.(*TerminalReader).sendEvents"))
}

// golden compares with a file, or writes it.
func golden(t *testing.T, name, got string) {
	t.Helper()
	path := filepath.Join("testdata", strings.ReplaceAll(t.Name(), "/", "_"), name+".golden")
	if filepath.Base(t.Name()) == name {
		path = filepath.Join("testdata", filepath.FromSlash(t.Name())+".golden")
	}
	if *update {
		if err := os.MkdirAll(filepath.Dir(path), 0o750); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(got), 0o600); err != nil {
			t.Fatal(err)
		}
		return
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatalf("%v: run the test with -update", err)
	}
	if diff := cmp.Diff(string(want), got); diff != "" {
		t.Errorf("%s (-want +got):\n%s", path, diff)
	}
}

const firstSteps = "../../examples/first-steps.sktrace"

// openTrace opens a trace and waits until it is indexed. A path without a slash names a recording.
func openTrace(t testing.TB, path string) *timeline.File {
	t.Helper()
	if !strings.Contains(path, "/") {
		path = prerequisite.Recording(t, path)
	}
	file, err := timeline.Open(t.Context(), path, timeline.Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { file.Close() })
	if err := file.Wait(t.Context()); err != nil {
		t.Log(err)
	}
	return file
}

// driver takes the place of bubbletea: it runs the commands of a model and passes it their
// messages, one by one.
type driver struct {
	t testing.TB
	Model
	quit bool
}

func newDriver(t testing.TB, file *timeline.File, width, height int, opts Options) *driver {
	d := &driver{t: t, Model: NewModel(t.Context(), file, opts)}
	d.run(d.Init())
	d.send(tea.WindowSizeMsg{Width: width, Height: height})
	return d
}

func (d *driver) send(msg tea.Msg) {
	next, cmd := d.Update(msg)
	d.Model = next.(Model)
	d.run(cmd)
}

func (d *driver) run(cmd tea.Cmd) {
	if cmd == nil {
		return
	}
	switch msg := cmd().(type) {
	case nil:
	case tea.BatchMsg:
		for _, c := range msg {
			d.run(c)
		}
	case tea.QuitMsg:
		d.quit = true
	case loadedMsg, foundMsg, podsMsg, indexMsg, startMsg:
		d.send(msg)
	}
}

// keys presses keys: by the names that bubbletea has for them, or "type:..." for text.
func (d *driver) keys(names ...string) *driver {
	for _, name := range names {
		if text, ok := strings.CutPrefix(name, "type:"); ok {
			for _, r := range text {
				d.send(tea.KeyPressMsg{Code: r, Text: string(r)})
			}
			continue
		}
		d.send(press(name))
	}
	return d
}

// press makes the message of a key.
func press(name string) tea.KeyPressMsg {
	for code, known := range map[rune]string{
		tea.KeyUp: "up", tea.KeyDown: "down", tea.KeyLeft: "left", tea.KeyRight: "right", tea.KeyPgUp: "pgup", tea.KeyPgDown: "pgdown",
		tea.KeyHome: "home", tea.KeyEnd: "end", tea.KeyEnter: "enter", tea.KeyEscape: "esc", tea.KeyTab: "tab", tea.KeyBackspace: "backspace",
		tea.KeyDelete: "delete",
	} {
		if name == known {
			return tea.KeyPressMsg{Code: code}
		}
	}
	if name == "space" {
		return tea.KeyPressMsg{Code: tea.KeySpace, Text: " "}
	}
	if key, ok := strings.CutPrefix(name, "ctrl+"); ok {
		return tea.KeyPressMsg{Code: []rune(key)[0], Mod: tea.ModCtrl}
	}
	return tea.KeyPressMsg{Code: []rune(name)[0], Text: name}
}

// frame returns the frame of the model. It checks that the frame has the size of the terminal, by
// two ways of measuring.
func (d *driver) frame() string {
	d.t.Helper()
	got := d.View().Content
	if d.width == 0 || d.height == 0 {
		return got
	}
	lines := strings.Split(got, "\n")
	if len(lines) != d.height {
		d.t.Errorf("the frame has %d lines, the terminal %d:\n%s", len(lines), d.height, got)
	}
	for i, l := range lines {
		if n, wc := ansi.StringWidth(l), ansi.StringWidthWc(l); n != d.width || wc != d.width {
			d.t.Errorf("line %d is %d or %d wide, the terminal %d: %q", i, n, wc, d.width, l)
		}
	}
	return got
}

// golden compares a frame with its file; blanks at the ends of lines are not in it.
func (d *driver) golden(t *testing.T, name string) {
	t.Helper()
	var b strings.Builder
	for _, l := range strings.Split(d.frame(), "\n") {
		b.WriteString(strings.TrimRight(l, " ") + "\n")
	}
	golden(t, name, b.String())
}
