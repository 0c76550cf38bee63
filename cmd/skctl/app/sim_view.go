package app

import (
	"fmt"
	"io"
	"slices"
	"strings"

	simkubev1 "simkube.io/simkube/api/v1"
	"simkube.io/simkube/internal/printable"
	"simkube.io/simkube/internal/words"
)

// stepsShown is how often the progress of a repetition is reported where lines cannot be redrawn.
const stepsShown = 10

// simView shows the progress of a simulation: a line for each change of its state, for each hook,
// and for its progress. On a terminal the last line is redrawn in place.
type simView struct {
	out   io.Writer
	live  bool
	width func() int

	headline string
	step     int
	drawn    bool // there is a line to redraw
	hooks    []simkubev1.HookRecord
}

func (p *program) newSimView() *simView {
	options := p.displayOptions()
	return &simView{out: p.streams.Err, live: options.Live, width: options.Width, step: -1}
}

// show prints what is new.
func (v *simView) show(sim *simkubev1.Simulation) {
	v.showHooks(sim)
	head, at := headline(sim), share(sim)
	step := int(at * stepsShown)
	isNew := head != v.headline
	if at < 0 {
		step = -1
	}
	switch {
	case v.live:
		if isNew {
			v.print(head)
		}
		if at >= 0 {
			v.draw(meter(at) + " " + progressText(sim))
		} else {
			v.clear()
		}
	case at >= 0 && (isNew || step != v.step):
		v.print(head + ", " + progressText(sim))
	case isNew:
		v.print(head)
	}
	v.headline, v.step = head, step
}

// close clears the redrawn line.
func (v *simView) close() { v.clear() }

func (v *simView) print(text string) {
	v.clear()
	fmt.Fprintln(v.out, printable.Text(text))
}

func (v *simView) clear() {
	if v.drawn {
		fmt.Fprint(v.out, "\r\x1b[K")
	}
	v.drawn = false
}

func (v *simView) draw(text string) {
	text = printable.Line(text)
	if runes := []rune(text); len(runes) >= v.width() {
		text = string(runes[:max(0, v.width()-1)])
	}
	fmt.Fprint(v.out, "\r\x1b[K"+text)
	v.drawn = true
}

func (v *simView) showHooks(sim *simkubev1.Simulation) {
	records := slices.Clone(sim.Status.Hooks)
	if driver := sim.Status.Driver; driver != nil {
		records = append(records, driver.Hooks...)
	}
	for _, record := range records {
		if !slices.ContainsFunc(v.hooks, func(old simkubev1.HookRecord) bool {
			return hookName(old) == hookName(record) && old.State == record.State
		}) {
			v.print(hookText(record))
		}
	}
	v.hooks = records
}

func hookName(record simkubev1.HookRecord) string {
	phase := string(record.Phase)
	name := fmt.Sprintf("%s%sHooks[%d]", strings.ToLower(phase[:min(1, len(phase))]), phase[min(1, len(phase)):], record.Index)
	if record.Run > 0 {
		name += fmt.Sprintf(" of run %d", record.Run)
	}
	return name
}

func hookText(record simkubev1.HookRecord) string {
	text := fmt.Sprintf("hook %s: %s", hookName(record), record.State)
	if record.ExitCode != nil && *record.ExitCode != 0 {
		text += fmt.Sprintf(" (exit code %d)", *record.ExitCode)
	}
	if record.Message != "" {
		text += ": " + record.Message
	}
	return text
}

// headline describes the state of a simulation without its progress: "Running, run 1 of 3,
// settling".
func headline(sim *simkubev1.Simulation) string {
	text := stateOf(sim)
	if driver := sim.Status.Driver; driver != nil && isAtWork(driver.Phase) && !isOver(sim) {
		if _, total := runs(sim); total > 1 && driver.Run > 0 {
			text += fmt.Sprintf(", run %d of %d", driver.Run, total)
		}
		text += ", " + strings.ToLower(string(driver.Phase))
		if driver.Restarts > 0 {
			text += ", driver restarted " + words.Count(driver.Restarts, "time")
		}
	}
	if sim.DeletionTimestamp != nil {
		text += ", being deleted"
	}
	if sim.Status.State == simkubev1.SimulationFailed {
		return text // the error says why
	}
	reason, message := stateReason(sim)
	if sim.Status.State == "" {
		reason = "" // the message is sufficient
	}
	for _, part := range []string{reason, message} {
		if part != "" && part != stateOf(sim) {
			text += ": " + part
		}
	}
	return text
}

// isAtWork reports whether a driver has started and is not done.
func isAtWork(phase simkubev1.DriverPhase) bool {
	return phase != "" && phase != simkubev1.DriverFinished && phase != simkubev1.DriverFailed
}

// meterWidth is the length of a meter in characters.
const meterWidth = 20

func meter(share float64) string {
	full := int(share * meterWidth)
	return "[" + strings.Repeat("#", full) + strings.Repeat(".", meterWidth-full) + "]"
}
