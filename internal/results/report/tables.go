package report

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"simkube.io/simkube/internal/results"
	"simkube.io/simkube/internal/words"
)

// maxOwners is the maximum number of owners that the page lists.
const maxOwners = 200

// maxWaits is the maximum number of owners in the table of the longest waits.
const maxWaits = 15

// wait is a row of the longest waits: the pod of an owner that waited longest.
type wait struct {
	Pod, Namespace, Owner string
	Others                string // how many more of the owner waited
	Waited                string
	Bar                   float64 // percent of the longest
	Created               string
	Node                  string // empty for none
	Wants                 string
	Reason, Message       string // in short, and all of it
}

// worst returns one row for each owner: a hundred pods of one Job that wait together would hide all
// others.
func worst(run *results.Run) []wait {
	type key struct{ namespace, kind, name string }
	longest := map[key]*results.Pod{}
	waited := map[key]int{}
	var order []key
	for i := range run.Pods {
		pod := &run.Pods[i]
		if pod.PendingSeconds <= 1 {
			continue
		}
		k := key{pod.OriginalNamespace, pod.OwnerKind, pod.OwnerName}
		if waited[k]++; waited[k] == 1 {
			order = append(order, k)
		}
		if l := longest[k]; l == nil || pod.PendingSeconds > l.PendingSeconds {
			longest[k] = pod
		}
	}
	slices.SortStableFunc(order, func(a, b key) int {
		return cmp.Compare(longest[b].PendingSeconds, longest[a].PendingSeconds)
	})
	var rows []wait
	for _, k := range order[:min(len(order), maxWaits)] {
		pod := longest[k]
		row := wait{
			Pod: pod.Name, Namespace: k.namespace, Owner: k.kind + " " + k.name,
			Waited:  results.FormatSeconds(pod.PendingSeconds),
			Bar:     100 * pod.PendingSeconds / longest[order[0]].PendingSeconds,
			Created: instantText(pod.Created), Node: pod.Node,
			Wants:   wants(pod),
			Message: pod.LastWaitReason,
		}
		if n := waited[k] - 1; n > 0 {
			row.Others = fmt.Sprintf("and %s more of it waited", words.Count(n, "pod"))
		}
		row.Reason, _, _ = strings.Cut(pod.LastWaitReason, " preemption: ")
		if row.Reason == "" {
			row.Reason = "The scheduler gave no reason: the pod stood in its queue."
		}
		rows = append(rows, row)
	}
	return rows
}

func wants(pod *results.Pod) string {
	text := cores(float64(pod.CPUMillis)) + ", " + bytesText(float64(pod.MemoryBytes))
	switch {
	case pod.GPUs == 1:
		text += ", 1 GPU"
	case pod.GPUs > 1:
		text += fmt.Sprintf(", %d GPUs", pod.GPUs)
	}
	return text
}

// reason is a row of the scheduler's reasons.
type reason struct {
	Reason       string
	Mainly, Pods string
	Bar          float64 // of pods, percent of the largest
	MainlyBar    float64
	Together     string
}

func reasons(s *results.Summary) []reason {
	most := 0
	for _, r := range s.Timing.WaitReasons {
		most = max(most, r.Pods)
	}
	var rows []reason
	for _, r := range s.Timing.WaitReasons {
		rows = append(rows, reason{
			Reason: r.Reason,
			Mainly: words.Number(r.Mainly), Pods: words.Number(r.Pods),
			Bar:       100 * float64(r.Pods) / float64(most),
			MainlyBar: 100 * float64(r.Mainly) / float64(most),
			Together:  results.FormatSeconds(r.Seconds),
		})
	}
	return rows
}

// owner is a row of the table of workloads. The table is sorted by its numbers.
type owner struct {
	Namespace, Kind, Name       string
	Pods, Failed, Never, Waited int
	PodsText, WaitedText        string
	P99, Max                    float64
	P99Text, MaxText            string
	CPUMillis, MemoryBytes      int64
	CPU, Memory                 string
}

// owners returns the owners that waited most, then those with most pods, and how many are left out.
func owners(s *results.Summary) (rows []owner, hidden int) {
	waits := make(map[results.Owner]results.OwnerWaits, len(s.Timing.PendingByOwner))
	for _, w := range s.Timing.PendingByOwner {
		waits[w.Owner] = w
	}
	for _, o := range s.Outcome.ByOwner {
		w := waits[o.Owner]
		rows = append(rows, owner{
			Namespace: o.Namespace, Kind: o.Kind, Name: o.Name,
			Pods: o.Pods, Failed: o.Failed, Never: o.NeverScheduled, Waited: w.OverSecond,
			PodsText: words.Number(o.Pods), WaitedText: words.Number(w.OverSecond),
			P99: w.P99, Max: w.Max, P99Text: results.FormatSeconds(w.P99), MaxText: results.FormatSeconds(w.Max),
			CPUMillis: o.CPUMillis, MemoryBytes: o.MemoryBytes,
			CPU: cores(float64(o.CPUMillis)), Memory: bytesText(float64(o.MemoryBytes)),
		})
	}
	slices.SortStableFunc(rows, func(a, b owner) int {
		return cmp.Or(cmp.Compare(b.Waited, a.Waited), cmp.Compare(b.Pods, a.Pods))
	})
	if len(rows) > maxOwners {
		return rows[:maxOwners], len(rows) - maxOwners
	}
	return rows, 0
}

// deviations are the differences from the recording.
type deviations struct {
	Total      int
	Categories string
	First      []deviation
	Hidden     int
}

// deviation is one of them. Count is empty for a single object or pod.
type deviation struct{ Category, Subject, Count, Reason, Action string }

func deviationsOf(s *results.Summary) deviations {
	counts := s.Outcome.Deviations
	if counts == nil {
		return deviations{}
	}
	d := deviations{Total: counts.Total, Categories: counts.Categories(), Hidden: counts.Total - len(counts.First)}
	for i := range counts.First {
		one := &counts.First[i]
		row := deviation{Category: results.CategoryTitle(one.Category), Subject: one.Subject(), Reason: one.Reason, Action: one.Action}
		if one.Count > 1 {
			row.Count = words.Number(one.Count) + "×"
		}
		d.First = append(d.First, row)
	}
	return d
}

// problems is what could not be replayed as recorded.
type problems struct {
	Total      int
	TotalText  string
	Categories []fact
	First      []problem
	Hidden     int
}

type problem struct{ Category, Object, Message, Time string }

func problemsOf(s *results.Summary) problems {
	counts := s.Outcome.Problems
	p := problems{Total: counts.Total, TotalText: words.Number(counts.Total), Hidden: counts.Total - len(counts.First)}
	for _, c := range counts.ByCategory {
		p.Categories = append(p.Categories, fact{c.Category, words.Number(c.Count)})
	}
	for _, f := range counts.First {
		p.First = append(p.First, problem{f.Category, f.Object, f.Message, instantText(f.Time)})
	}
	return p
}

// measured is a row of the table of measures.
type measured struct{ Name, Title, Value string }

// measuredOf lists all measures of a run, except those by owner, of which there may be thousands.
func measuredOf(s *results.Summary) []measured {
	var rows []measured
	for _, m := range results.Measures() {
		if slices.Contains(m.Dimensions, results.ByOwner) {
			continue
		}
		for _, v := range m.Values(s) {
			title := m.Title
			if len(v.Labels) > 0 {
				title += ": " + strings.Join(v.Labels, ", ")
			}
			rows = append(rows, measured{Name: m.Name(v.Labels...), Title: title, Value: m.Format(v)})
		}
	}
	return rows
}
