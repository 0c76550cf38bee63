package app

import (
	"bytes"
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"text/tabwriter"
	"time"

	"simkube.io/simkube/cmd/skctl/progress"
	"simkube.io/simkube/internal/printable"
	"simkube.io/simkube/internal/traceinfo"
	"simkube.io/simkube/internal/words"
)

// infoText returns the output of trace info for people.
func infoText(info namedInfo, style style) []byte {
	t := infoPrinter{style: style}
	fmt.Fprintf(&t.out, "%s: %s\n\n", printable.Line(info.Trace), progress.Bytes(info.Bytes))
	t.time(info)
	t.line("objects", "%s in %s; applied %s, deleted %s; manifests %s",
		words.Count(info.Objects, "object"), words.Count(len(info.Namespaces), "namespace"), words.Times(info.Applied), words.Times(info.Deleted), progress.Bytes(info.ManifestBytes))
	t.peak(&info.Peak)
	t.lifecycles(&info.Lifecycles)
	t.extension(info.Extension)
	t.checks(&info.Checks)
	t.tables(info)
	return t.out.Bytes()
}

// maxNamespaces is how many namespaces are shown: those with the most objects.
const maxNamespaces = 20

type infoPrinter struct {
	out   bytes.Buffer
	style style
}

func (t *infoPrinter) line(label, format string, args ...any) {
	t.styled(label, printable.Line(fmt.Sprintf(format, args...)))
}

// styled prints a line whose text is already escaped, with styles.
func (t *infoPrinter) styled(label, text string) {
	fmt.Fprintf(&t.out, "  %s %s\n", t.style.dim(fmt.Sprintf("%-12s", label)), text)
}

func (t *infoPrinter) time(info namedInfo) {
	t.line("version", "%d", info.Version)
	if info.Events == 0 {
		t.line("time", "there are no events")
		return
	}
	t.line("time", "%s to %s, %s", clockTime(info.Start), clockTime(info.End), time.Duration(info.DurationSeconds)*time.Second)
	t.line("events", "%s", words.Number(info.Events))
}

func (t *infoPrinter) peak(peak *traceinfo.Peak) {
	if peak.Pods == 0 {
		t.line("peak", "no object asks for pods")
	} else {
		t.line("peak", "%s at %s", words.Count(peak.Pods, "pod"), clockTime(peak.PodsAt))
		if peak.CPUMillis > 0 {
			t.line("", "%s of CPU at %s", cores(peak.CPUMillis), clockTime(peak.CPUAt))
		}
		if peak.MemoryBytes > 0 {
			t.line("", "%s of memory at %s", binaryBytes(peak.MemoryBytes), clockTime(peak.MemoryAt))
		}
		t.styled("", t.style.dim("an upper estimate of simultaneous requests: templates x replicas until they are deleted"))
	}
	if peak.DaemonSets > 0 {
		t.line("", "%s not counted: one pod on each node", words.Count(peak.DaemonSets, "DaemonSet"))
	}
	if peak.Unreadable > 0 {
		t.line("", "%s not counted: they have no readable pod template", words.Count(peak.Unreadable, "manifest"))
	}
}

func (t *infoPrinter) lifecycles(l *traceinfo.Lifecycles) {
	if l.Owners == 0 {
		t.line("lifecycles", "none")
		return
	}
	t.line("lifecycles", "%s of %s: %s finished, %s running, %s empty", words.Count(l.Pods, "pod"), words.Count(l.Owners, "owner"),
		words.Number(l.Finished), words.Number(l.Running), words.Number(l.Empty))
	if q := l.Seconds; q != nil {
		seconds := func(n int64) time.Duration { return time.Duration(n) * time.Second }
		t.line("", "they ran for %s to %s; half up to %s, 90%% up to %s, 99%% up to %s",
			seconds(q.Min), seconds(q.Max), seconds(q.P50), seconds(q.P90), seconds(q.P99))
	}
}

func (t *infoPrinter) extension(x *traceinfo.Extension) {
	switch {
	case x == nil:
		t.line("x-simkube", "none")
		return
	case x.Problem != "":
		t.line("x-simkube", "%s, which cannot be read: %s", progress.Bytes(int64(x.Bytes)), x.Problem)
		return
	}
	times := "without times of matching events"
	if x.EventTimes {
		times = "with the milliseconds of events"
	}
	t.line("x-simkube", "%s, %s; %s (%s), %s of which %s had a node", progress.Bytes(int64(x.Bytes)), times,
		words.Count(x.Nodes, "node"), words.Count(x.NodePeriods, "period"), words.Count(x.Pods, "pod"), words.Number(x.Scheduled))
	if x.Gaps > 0 {
		t.line("", "changes may be missing in %s, %s together", words.Count(x.Gaps, "gap"), time.Duration(x.GapMillis)*time.Millisecond)
	}
}

func (t *infoPrinter) checks(c *traceinfo.Checks) {
	if c.OK() {
		t.line("checks", "the index and the lifecycles agree with the events")
		return
	}
	first := "checks"
	say := func(n int, what string) {
		if n > 0 {
			t.styled(first, t.style.wrap("33", words.Number(n)+" "+what))
			first = ""
		}
	}
	say(c.OutOfOrder, "of the events are earlier than the one before")
	say(c.Index.Differ, "of "+words.Number(c.Index.Entries)+" in the index have a different hash than the last manifest")
	say(c.Index.Missing, "of the objects are not in the index")
	say(c.Index.Extra, "in the index are applied by no event")
	say(c.Lifecycles.UnknownOwners, "of the lifecycles' owners are in no event")
	say(c.Lifecycles.OtherPods, "bare pods have lifecycles under a hash that none of their manifests has")
	say(c.Lifecycles.Reversed, "of the lifecycles end before they start")
	for _, example := range slices.Concat(c.Index.Examples, c.Lifecycles.Examples) {
		t.styled("", t.style.dim("- "+printable.Line(example)))
	}
}

func (t *infoPrinter) tables(info namedInfo) {
	t.table([]string{"KIND", "OBJECTS", "APPLIED", "DELETED", "MANIFESTS", "TRACKED"}, func(row func(...string)) {
		seen := map[string]bool{}
		for _, k := range info.Kinds {
			seen[k.Kind] = true
			row(k.Kind, words.Number(k.Objects), words.Number(k.Applied), words.Number(k.Deleted), progress.Bytes(k.ManifestBytes),
				tracked(info.Config, k.Kind))
		}
		for _, kind := range slices.Sorted(maps.Keys(info.Config.TrackedObjects)) {
			if !seen[kind] {
				row(kind, "0", "0", "0", "0 B", tracked(info.Config, kind))
			}
		}
	})
	largest := slices.SortedStableFunc(slices.Values(info.Namespaces), func(a, b traceinfo.Namespace) int { return cmp.Compare(b.Objects, a.Objects) })
	shown := largest[:min(len(largest), maxNamespaces)]
	t.table([]string{"NAMESPACE", "OBJECTS"}, func(row func(...string)) {
		for _, n := range shown {
			row(dash(n.Name), words.Number(n.Objects))
		}
	})
	if hidden := len(largest) - len(shown); hidden > 0 {
		fmt.Fprintf(&t.out, "  and %d more (-o json has all)\n", hidden)
	}
}

func (t *infoPrinter) table(header []string, rows func(row func(...string))) {
	t.out.WriteByte('\n')
	table := tabwriter.NewWriter(&t.out, 0, 0, 3, ' ', 0)
	row := func(cells ...string) {
		for i := range cells {
			cells[i] = printable.Line(cells[i])
		}
		fmt.Fprintln(table, "  "+strings.Join(cells, "\t"))
	}
	row(header...)
	rows(row)
	_ = table.Flush() // to memory
}

// tracked describes how a kind was tracked.
func tracked(config traceinfo.Config, kind string) string {
	object, ok := config.TrackedObjects[kind]
	if !ok {
		return "no"
	}
	words := []string{"yes"}
	if object.TrackLifecycle {
		words = append(words, "lifecycles")
	}
	if object.SkipOwned {
		words = append(words, "not those with an owner")
	}
	if len(object.PodSpecTemplatePaths) > 0 {
		words = append(words, fmt.Sprintf("pods at %q", object.PodSpecTemplatePaths))
	}
	return strings.Join(words, ", ")
}

func clockTime(t time.Time) string { return t.UTC().Format(time.RFC3339) }

func cores(millis int64) string {
	if millis == 1000 {
		return "1 core"
	}
	return strconv.FormatFloat(float64(millis)/1000, 'f', -1, 64) + " cores"
}

// binaryBytes formats a size as Kubernetes formats memory.
func binaryBytes(n int64) string {
	value, unit := float64(n), "B"
	for _, next := range []string{"KiB", "MiB", "GiB", "TiB", "PiB"} {
		if value < 1024 {
			break
		}
		value, unit = value/1024, next
	}
	return strconv.FormatFloat(value, 'f', 1, 64) + " " + unit
}
