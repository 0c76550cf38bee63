package xray

import (
	"io"
	"path/filepath"
	"testing"
	"time"

	tea "charm.land/bubbletea/v2"

	"simkube.io/simkube/internal/bigtrace"
	"simkube.io/simkube/internal/timeline"
)

// benchEvents is how long the trace of the benchmarks is: a million events, 1 GB.
const benchEvents = bigtrace.DefaultEvents

func bigTrace(b *testing.B) string {
	b.Helper()
	events := benchEvents
	if testing.Short() {
		events = 10_000
	}
	path := filepath.Join(b.TempDir(), "big.sktrace")
	if err := bigtrace.Write(path, bigtrace.Options{Events: events}); err != nil {
		b.Fatal(err)
	}
	return path
}

// BenchmarkModel measures from a key to the frame that answers it, and to the one that has what was
// read of the file. max-ms is the slowest.
func BenchmarkModel(b *testing.B) {
	path := bigTrace(b)
	for _, state := range []string{"indexed", "indexing"} {
		b.Run(state, func(b *testing.B) {
			file, err := timeline.Open(b.Context(), path, timeline.Options{})
			if err != nil {
				b.Fatal(err)
			}
			defer func() { file.Close() }()
			if state == "indexed" {
				if err := file.Wait(b.Context()); err != nil {
					b.Fatal(err)
				}
			}
			// While it is read, each begins with a trace that was just opened.
			reopen := func() {
				if state == "indexed" {
					return
				}
				file.Close()
				if file, err = timeline.Open(b.Context(), path, timeline.Options{}); err != nil {
					b.Fatal(err)
				}
				for file.Len() < 100 {
					<-file.Changed()
				}
			}
			for _, tc := range []struct {
				name string
				keys []string
			}{
				{"down", []string{"down"}},
				{"page", []string{"pgdown"}},
				{"ends", []string{"end", "home"}},
				{"open", []string{"home", "space", "down", "end", "home", "space"}},
				{"time", []string{"t", "type:+6h", "enter", "t", "type:+1h", "enter"}},
				{"versions", []string{"]", "]", "["}},
				{"filter_key", []string{"f", "type:Job", "enter", "down", "f", "ctrl+x", "enter"}},
				{"other_screens", []string{"?", "?", "v", "v", "p", "esc"}},
			} {
				b.Run(tc.name, func(b *testing.B) {
					reopen()
					benchmarkKeys(b, file, tc.keys)
				})
			}
		})
	}
}

func benchmarkKeys(b *testing.B, file *timeline.File, keys []string) {
	// Unlike in newDriver, nobody waits for the index.
	d := &driver{t: b, Model: NewModel(b.Context(), file, Options{Name: "big", Unicode: true, Colour: true, Compile: compileForTest})}
	for _, msg := range []tea.Msg{tea.WindowSizeMsg{Width: 140, Height: 40}, press("down")} {
		next, cmd := d.Update(msg)
		if d.Model = next.(Model); cmd != nil {
			d.one(cmd)
		}
	}
	var slowest time.Duration
	pressed := 0
	for b.Loop() {
		for _, name := range keys {
			for _, msg := range keyMessages(name) {
				begin := time.Now()
				next, cmd := d.Update(msg)
				d.Model = next.(Model)
				_ = d.View()
				slowest = max(slowest, time.Since(begin))
				pressed++
				// What is read is not part of the answer, but of the work.
				if cmd != nil {
					d.one(cmd)
				}
			}
		}
	}
	b.ReportMetric(float64(slowest.Microseconds())/1000, "max-ms")
	b.ReportMetric(float64(b.Elapsed().Microseconds())/1000/float64(pressed), "ms/key")
}

func keyMessages(name string) []tea.Msg {
	const typed = "type:"
	if len(name) <= len(typed) || name[:len(typed)] != typed {
		return []tea.Msg{press(name)}
	}
	var out []tea.Msg
	for _, r := range name[len(typed):] {
		out = append(out, tea.KeyPressMsg{Code: r, Text: string(r)})
	}
	return out
}

// one runs a command, handles its message and draws. It drops the command that follows.
func (d *driver) one(cmd tea.Cmd) {
	switch msg := cmd().(type) {
	case tea.BatchMsg:
		for _, c := range msg {
			if c != nil {
				d.one(c)
			}
		}
	case loadedMsg, foundMsg, podsMsg:
		next, _ := d.Update(msg)
		d.Model = next.(Model)
		_ = d.View()
	}
}

// BenchmarkOpen measures from opening a trace to the first frame that has events in it.
func BenchmarkOpen(b *testing.B) {
	path := bigTrace(b)
	for b.Loop() {
		file, err := timeline.Open(b.Context(), path, timeline.Options{})
		if err != nil {
			b.Fatal(err)
		}
		d := &driver{t: b, Model: NewModel(b.Context(), file, Options{Unicode: true})}
		next, _ := d.Update(tea.WindowSizeMsg{Width: 140, Height: 40})
		d.Model = next.(Model)
		for d.list.events() == 0 {
			<-file.Changed()
		}
		_ = d.View()
		file.Close()
	}
}

func BenchmarkPrint(b *testing.B) {
	path := bigTrace(b)
	for b.Loop() {
		file, err := timeline.Open(b.Context(), path, timeline.Options{})
		if err != nil {
			b.Fatal(err)
		}
		if err := Print(b.Context(), io.Discard, file, PrintOptions{}); err != nil {
			b.Fatal(err)
		}
		file.Close()
	}
}
