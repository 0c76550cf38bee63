package xray

import (
	"bytes"
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	tea "charm.land/bubbletea/v2"
	"github.com/charmbracelet/x/ansi"

	"simkube.io/simkube/internal/bigtrace"
	"simkube.io/simkube/internal/timeline"
	"simkube.io/simkube/trace"
)

// FuzzModel presses keys, moves the mouse and changes the terminal's size at random: nothing
// panics, and every frame has exactly the size of the terminal, and nothing in it that controls it.
func FuzzModel(f *testing.F) {
	for _, seed := range []string{
		"jjljjldd[]", " jjj\rh/web\rnnN", "f\tdemo\r\rp", "?\x1bv\x1bt+2m\r", "\x80\x81\x82\x83\x84", "f\t\t\t\tx\r", "/\r/\x1bt\rq", "Gb/e\rfPod\r\rj\x90\x91\x92",
		"\xa0\x00\x00\xa1\x05\x03", "lllljjjdhhh\xb0\x10\xb1\x20", "/\u202e\x7f\x7f\x7f\x7f",
	} {
		f.Add([]byte(seed))
	}
	path := variedTrace(f)
	f.Fuzz(func(t *testing.T, keys []byte) {
		file := openTrace(t, path)
		d := newDriver(t, file, 80, 24, Options{Name: "a\x1b[1m.sktrace", Unicode: len(keys)%2 == 0, Compile: compileForTest})
		d.send(findingsMsg{more: findingsForTest(), done: true})
		for _, key := range keys {
			for _, msg := range fuzzMessages(key) {
				d.send(msg)
			}
			if got := d.frame(); ansi.Strip(got) != got {
				t.Fatalf("a sequence is in the frame: %q", got)
			}
		}
	})
}

// fuzzMessages makes messages of a byte.
func fuzzMessages(key byte) []tea.Msg {
	n := int(key & 0x0f)
	switch {
	case key == '\r':
		return []tea.Msg{press("enter")}
	case key == '\x1b':
		return []tea.Msg{press("esc")}
	case key == '\t':
		return []tea.Msg{press("tab")}
	case key == 0x7f:
		return []tea.Msg{press("backspace")}
	case key == ' ':
		return []tea.Msg{press("space")}
	case key < ' ':
		return []tea.Msg{tea.WindowSizeMsg{Width: n * n, Height: n}, tea.WindowSizeMsg{Width: 20 * n, Height: 3 * n}}
	case key < 0x7f:
		return []tea.Msg{press(string(rune(key)))}
	}
	switch key & 0xf0 {
	case 0x80:
		names := []string{"up", "down", "left", "right", "pgup", "pgdown", "home", "end", "ctrl+u", "ctrl+d", "ctrl+l", "ctrl+b", "ctrl+f", "ctrl+k", "ctrl+w", "ctrl+x"}
		return []tea.Msg{press(names[n])}
	case 0x90:
		return []tea.Msg{tea.MouseClickMsg{X: 5 * n, Y: n, Button: tea.MouseLeft}}
	case 0xa0:
		return []tea.Msg{tea.MouseWheelMsg{X: 9 * n, Y: n, Button: tea.MouseWheelDown}, tea.MouseWheelMsg{X: n, Y: n, Button: tea.MouseWheelUp}}
	case 0xb0:
		return []tea.Msg{tea.PasteMsg{Content: strings.Repeat("x\x1b[2J\n日", n)}}
	case 0xc0:
		return []tea.Msg{tea.MouseClickMsg{X: 3 * n, Y: 1, Button: tea.MouseLeft}}
	case 0xd0:
		return []tea.Msg{tea.WindowSizeMsg{Width: 1 + n, Height: 1 + n/2}}
	}
	return []tea.Msg{tea.WindowSizeMsg{Width: 10 * n, Height: 2 * n}}
}

func TestModel_Sizes(t *testing.T) {
	file := openTrace(t, firstSteps)
	for _, keys := range [][]string{nil, {"enter"}, {"f"}, {"v"}, {"?"}, {"/"}, {"t"}, {"p"}} {
		d := newDriver(t, file, 80, 24, Options{Name: "x"})
		d.send(findingsMsg{more: findingsForTest(), done: true})
		d.keys(keys...)
		for width := range 50 {
			for height := range 15 {
				d.send(tea.WindowSizeMsg{Width: width, Height: height})
				d.frame()
			}
		}
		d.send(tea.WindowSizeMsg{Width: 400, Height: 100})
		d.frame()
	}
}

func TestModel_Mouse(t *testing.T) {
	file := openTrace(t, firstSteps)
	d := newDriver(t, file, 140, 24, Options{})
	at := d.layout()
	click := func(x, y int) { d.send(tea.MouseClickMsg{X: x, Y: y, Button: tea.MouseLeft}) }

	click(3, at.top+4)
	if d.list.at != (row{4, -1}) {
		t.Errorf("a click on the fifth row leads to %v", d.list.at)
	}
	click(3, at.top+4)
	if !d.list.isOpen() {
		t.Error("a second click on it does not open it")
	}
	click(3, at.top+5)
	if d.list.at != (row{4, 0}) {
		t.Errorf("a click on its object leads to %v", d.list.at)
	}
	click(at.detailX+5, at.top+3)
	if !d.inDetail {
		t.Error("a click on the detail does not go there")
	}
	d.send(tea.MouseWheelMsg{X: at.detailX + 5, Y: 10, Button: tea.MouseWheelDown})
	if d.detail.pane.top == 0 {
		t.Error("the wheel does not scroll the detail")
	}
	click(3, at.top+23)
	click(139, at.bars)
	if d.list.at.nth != file.Len()-1 {
		t.Errorf("a click on the end of the bars leads to event %d", d.list.at.nth)
	}
	click(0, at.bars)
	if d.list.at.nth != 0 {
		t.Errorf("a click on the beginning of the bars leads to event %d", d.list.at.nth)
	}
}

func TestModel_Quits(t *testing.T) {
	file := openTrace(t, firstSteps)
	for _, keys := range [][]string{{"q"}, {"ctrl+c"}, {"f", "q", "ctrl+c"}, {"/", "q", "ctrl+c"}, {"?", "q"}, {"v", "q"}} {
		d := newDriver(t, file, 80, 24, Options{})
		d.keys(keys[:len(keys)-1]...)
		if d.quit {
			t.Errorf("%v quits too early", keys)
		}
		if d.keys(keys[len(keys)-1]); !d.quit {
			t.Errorf("%v does not quit", keys)
		}
	}
}

// TestModel_Damaged checks that what can be read of a damaged trace can be seen, and what is wrong
// with the rest.
func TestModel_Damaged(t *testing.T) {
	whole, err := os.ReadFile(firstSteps)
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(t.TempDir(), "damaged.sktrace")
	if err := os.WriteFile(path, whole[:3000], 0o600); err != nil {
		t.Fatal(err)
	}
	newDriver(t, openTrace(t, path), 100, 16, Options{Name: "damaged.sktrace", Unicode: true}).golden(t, "damaged")
}

func TestModel_BeginsWhereToldTo(t *testing.T) {
	file := openTrace(t, firstSteps)
	d := newDriver(t, file, 80, 24, Options{Query: Query{Kinds: "Deployment"}, From: "+2m"})
	if event, _, _, _ := d.list.current(); event != 4 || len(d.list.found.found) != 4 {
		t.Errorf("it begins at event %d of %d", event, len(d.list.found.found))
	}
}

// TestRun runs the whole program on buffers, which are left as a terminal is to be left.
func TestRun(t *testing.T) {
	panics := func(string) (Match, error) {
		return func(int64, *trace.Object) (bool, error) { panic("a mistake") }, nil
	}
	cancelled, cancel := context.WithCancelCause(t.Context())
	defer cancel(nil)
	for name, tc := range map[string]struct {
		ctx  context.Context
		keys string
		opts Options
		want string
	}{
		"quit":            {t.Context(), "jjq", Options{Check: checkForTest}, ""},
		"interrupt":       {t.Context(), "jj\x03", Options{}, ""},
		"cancelled":       {cancelled, "jj", Options{Check: checkForTest}, "enough"},
		"panic":           {t.Context(), "", Options{Compile: panics, Query: Query{Selector: "x"}}, "internal error: see the output above"},
		"check panics":    {t.Context(), "vjq", Options{Check: func(context.Context, func(Finding)) error { panic("a mistake") }}, ""},
		"a bad selector":  {t.Context(), "q", Options{Compile: compileForTest, Query: Query{Selector: "x"}}, "1:17: want a value\n  x\n   ^"},
		"check goes on":   {t.Context(), "q", Options{Check: func(ctx context.Context, _ func(Finding)) error { <-ctx.Done(); return ctx.Err() }}, ""},
		"filter at first": {t.Context(), "q", Options{Query: Query{Kinds: "Pod"}, From: "-1m"}, ""},
	} {
		t.Run(name, func(t *testing.T) {
			file, err := timeline.Open(t.Context(), firstSteps, timeline.Options{})
			if err != nil {
				t.Fatal(err)
			}
			defer file.Close()
			var out bytes.Buffer
			if tc.ctx == cancelled {
				go cancel(errors.New("enough"))
			}
			got := ""
			if err := Run(tc.ctx, file, Terminal{In: strings.NewReader(tc.keys), Out: &out}, tc.opts); err != nil {
				got = err.Error()
			}
			if got != tc.want {
				t.Errorf("got %q, want %q", got, tc.want)
			}
			const enter, leave = "\x1b[?1049h", "\x1b[?1049l"
			if strings.LastIndex(out.String(), enter) > strings.LastIndex(out.String(), leave) {
				t.Error("the terminal is not restored")
			}
		})
	}
}

// TestModel_WhileIndexing begins before the index is there, and looks at what comes of it.
func TestModel_WhileIndexing(t *testing.T) {
	path := filepath.Join(t.TempDir(), "some.sktrace")
	if err := bigtrace.Write(path, bigtrace.Options{Events: 20_000, EventBytes: 900}); err != nil {
		t.Fatal(err)
	}
	file, err := timeline.Open(t.Context(), path, timeline.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	d := &driver{t: t, Model: NewModel(t.Context(), file, Options{Name: "some.sktrace"})}
	send := func(msg tea.Msg) {
		next, _ := d.Update(msg)
		d.Model = next.(Model)
		d.frame()
	}
	send(tea.WindowSizeMsg{Width: 100, Height: 20})
	for _, key := range []string{"g", "#", "1", "9", "9", "9", "9", "enter"} {
		send(press(key))
	}
	early := !d.progress.Done
	if err := file.Wait(t.Context()); err != nil {
		t.Fatal(err)
	}
	send(indexMsg{})
	if event, _, _, _ := d.list.current(); event != 19_998 {
		t.Errorf("the cursor is at event %d; the trace was still being read: %t", event, early)
	}
	if d.goal != "" || !d.progress.Done || d.progress.Events != 20_000 {
		t.Errorf("goal %q, progress %+v", d.goal, d.progress)
	}
}
