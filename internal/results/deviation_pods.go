package results

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"simkube.io/simkube/internal/words"
)

// Categories of deviations of pods. Those of objects are the categories of problems.
const (
	// NotCreated are pods that their controller could not create.
	NotCreated = "notCreated"
	// NotPlaced are pods that never got a node, of owners without recorded pods.
	NotPlaced = "notPlaced"
	// NotRun are recorded pods that did not run.
	NotRun = "notRun"
	// RanMore are pods that ran in addition to the recorded ones.
	RanMore = "ranMore"
	// EndedEarly and EndedLate are pods that ended earlier or later than recorded.
	EndedEarly = "endedEarly"
	EndedLate  = "endedLate"
	// CutShort are pods that would still have been created or started when the run ended.
	CutShort = "cutShort"
)

// gated begins the scheduler's message for a pod that nothing has ungated.
const gated = "Scheduling is blocked due to non-empty scheduling gates"

// podGroup are the pods of one owner.
type podGroup struct {
	owner Owner
	pods  []*podRecord
	// end is when the run ended, and cutShort whether that was too early for these pods.
	end      instant
	cutShort bool
}

// unplaced counts the pods that never got a node, and returns the autoscaler's reason for most of
// them, or the scheduler's last message, or why that has not handled the pod. It does not count
// pods that nothing has ungated.
func (g *podGroup) unplaced() (count int, message string) {
	messages := map[string]int{}
	for _, p := range g.pods {
		if p.scheduled != 0 || p.finished != 0 || strings.HasPrefix(p.lastWait, gated) {
			continue
		}
		why := p.lastWait
		if p.waits == 0 {
			if !g.isIgnored(p) {
				continue
			}
			why = p.unhandled
		}
		if p.noNode != "" {
			why = autoscalerFound + p.noNode
		}
		count++
		messages[why]++
	}
	for _, m := range slices.Sorted(maps.Keys(messages)) {
		if messages[m] > messages[message] {
			message = m
		}
	}
	return count, message
}

// isIgnored reports whether there is a reason for which the scheduler has not handled a pod, and it
// has had the time.
func (g *podGroup) isIgnored(p *podRecord) bool {
	end := g.end
	if p.deleted != 0 {
		end = p.deleted
	}
	return p.unhandled != "" && !g.cutShort && end.time().Sub(p.created.time()) >= handlingTime
}

func (g *podGroup) disrupted() int {
	n := 0
	for _, p := range g.pods {
		if p.disruption != "" {
			n++
		}
	}
	return n
}

// podDeviations compares pods with the recording, owner by owner, and returns the differences.
// known are the deviations that are known already.
func podDeviations(pods []podRecord, w window, r *Recording, known []Deviation) []Deviation {
	recorded := map[string]*RecordedOwner{}
	if r != nil {
		for i := range r.Owners {
			recorded[r.Owners[i].Group] = &r.Owners[i]
		}
	}
	explained, cutShort := map[Owner]bool{}, map[Owner]bool{}
	for i := range known {
		if d := &known[i]; d.Owner != nil && (d.Category == NotCreated || d.Category == CutShort) {
			explained[*d.Owner] = true
			cutShort[*d.Owner] = cutShort[*d.Owner] || d.Category == CutShort
		}
	}
	newGroup := func(owner Owner) *podGroup {
		return &podGroup{owner: owner, end: w.end, cutShort: cutShort[owner]}
	}
	inGroup, byOwner := map[string]*podGroup{}, map[Owner]*podGroup{}
	for i := range pods {
		p := &pods[i]
		if o := recorded[p.group]; o != nil {
			if inGroup[p.group] == nil {
				inGroup[p.group] = newGroup(o.Owner)
			}
			inGroup[p.group].pods = append(inGroup[p.group].pods, p)
			continue
		}
		if byOwner[*p.owner] == nil {
			byOwner[*p.owner] = newGroup(*p.owner)
		}
		byOwner[*p.owner].pods = append(byOwner[*p.owner].pods, p)
	}
	var out []Deviation
	for _, name := range slices.Sorted(maps.Keys(recorded)) {
		g := inGroup[name]
		if g == nil {
			g = newGroup(recorded[name].Owner)
		}
		c := comparison{recorded: recorded[name], recording: r, group: g, window: w}
		out = append(out, c.deviations(explained[g.owner])...)
	}
	for _, owner := range slices.SortedFunc(maps.Keys(byOwner), Owner.Compare) {
		if d, ok := notPlaced(byOwner[owner]); ok {
			out = append(out, d)
		}
	}
	return out
}

// notPlaced returns the deviation of pods that never got a node, and false if there are none.
func notPlaced(g *podGroup) (Deviation, bool) {
	count, message := g.unplaced()
	if count == 0 {
		return Deviation{}, false
	}
	return Deviation{
		Category: NotPlaced, Owner: &g.owner, Count: count,
		Reason: fmt.Sprintf("%s never got a node: %s", words.Count(count, "pod"), message), Action: placing(message),
	}, true
}

// comparison compares the pods of one owner with the recorded ones.
type comparison struct {
	recorded  *RecordedOwner
	recording *Recording
	group     *podGroup
	window    window
}

func (c *comparison) deviations(explained bool) []Deviation {
	var out []Deviation
	// late are pods that have just started: recorded ones take longer to start.
	ran, late := 0, 0
	for _, p := range c.group.pods {
		if p.running == 0 {
			continue
		}
		ran++
		if c.seconds(p.running, c.window.end) < cutTolerance.Seconds() {
			late++
		}
	}
	least, most := c.recorded.bounds(c.recording)
	if c.recorded.Owner.Kind == kindDaemonSet {
		// It has a pod on each node, and the nodes of a simulation are not the recorded ones.
		if least > 0 && ran == 0 && !explained {
			out = append(out, c.notRun(least, ran))
		}
		return out
	}
	more, fewer := c.recorded.asksForMore(), c.recorded.asksForFewer()
	switch {
	case ran < least && !fewer && !explained:
		out = append(out, c.notRun(least, ran))
	case ran-late > most && !more:
		out = append(out, c.ranMore(most, ran))
	case more && ran < c.recorded.Asked:
		if d, ok := notPlaced(c.group); ok {
			out = append(out, d)
		}
	}
	if !more && !fewer {
		out = append(out, c.lengths()...)
	}
	return out
}

func (c *comparison) deviation(category string, count int, reason, action string) Deviation {
	if c.recorded.Owner.Kind == kindCronJob && c.recording.UnevenSchedule != "" && (category == NotRun || category == RanMore) {
		reason += ": " + c.recording.UnevenSchedule
		action = "use virtual time, or speed 1"
	}
	return Deviation{Category: category, Owner: &c.group.owner, Count: count, Reason: reason, Action: action}
}

func (c *comparison) notRun(least, ran int) Deviation {
	reason := fmt.Sprintf("%s of %s in the recording did not run", words.Number(least-ran), words.Count(least, "pod"))
	unplaced, message := c.group.unplaced()
	switch {
	case unplaced > 0:
		return c.deviation(NotRun, least-ran, fmt.Sprintf("%s; %s never got a node: %s", reason, words.Count(unplaced, "pod"), message), placing(message))
	case len(c.group.pods) == 0:
		return c.deviation(NotRun, least-ran, reason+"; no pod of this owner was created",
			"see whether the owner was refused or left out, and whether the controller of its kind is in the cluster")
	}
	action := "compare the owner in the trace (skctl trace cat) with the recording"
	if c.recorded.Owner.Kind == kindJob || c.recorded.Owner.Kind == kindCronJob {
		action = "nothing, if pods failed in the recording and were tried again: simulated pods succeed"
	}
	return c.deviation(NotRun, least-ran, reason, action)
}

func (c *comparison) ranMore(most, ran int) Deviation {
	reason := fmt.Sprintf("%s ran, and %s in the recording", words.Count(ran, "pod"), words.Number(most))
	action := "see in pods.parquet when the pods ended: a controller replaces pods that end while it wants them"
	if n := c.group.disrupted(); n > 0 {
		reason += fmt.Sprintf("; %s disrupted and replaced", were(n))
		action = "nothing, if this is the result that was asked for"
	}
	return c.deviation(RanMore, ran-most, reason, action)
}

// lengths returns the deviations of pods that ended early or late.
func (c *comparison) lengths() []Deviation {
	var l lengths
	for _, one := range c.recorded.Pods {
		l.recorded = append(l.recorded, lifetimeSpan(one, c.recording))
	}
	deleted := false
	for _, p := range c.group.pods {
		if p.running == 0 {
			continue
		}
		end := p.finished
		if end == 0 {
			end = p.deleted
			deleted = deleted || end != 0
		}
		if end == 0 {
			l.open = append(l.open, c.seconds(p.running, c.window.end))
			continue
		}
		l.ended = append(l.ended, c.seconds(p.running, end))
	}
	late := c.recording.Tolerance.Seconds()
	early := late
	if deleted {
		early += deletionGrace.Seconds()
	}
	e := l.compare(early, late)
	var out []Deviation
	if e.early > 0 {
		reason := fmt.Sprintf("%s earlier than recorded, by up to %s", ended(e.early), duration(e.earlyBy))
		action := "see in pods.parquet whether the pods finished or were deleted"
		if n := c.group.disrupted(); n > 0 {
			reason += fmt.Sprintf("; %s disrupted", were(n))
			action = "nothing, if this is the result that was asked for"
		}
		out = append(out, c.deviation(EndedEarly, e.early, reason, action))
	}
	if e.late > 0 {
		out = append(out, c.deviation(EndedLate, e.late,
			fmt.Sprintf("%s later than recorded, by %s or more", ended(e.late), duration(e.lateBy)),
			"see whether the pods differ from the recorded ones: then no recorded lifecycle is found for them"))
	}
	return out
}

func were(n int) string {
	if n == 1 {
		return "1 pod was"
	}
	return words.Count(n, "pod") + " were"
}

func ended(n int) string { return words.Count(n, "pod") + " ended" }

func duration(seconds float64) string {
	return FormatDuration(time.Duration(seconds * float64(time.Second)).Round(time.Second))
}

// seconds returns the time between two times on the clock in seconds of the trace.
func (c *comparison) seconds(from, to instant) float64 {
	return c.window.times.Trace(to.time()).Sub(c.window.times.Trace(from.time())).Seconds()
}
