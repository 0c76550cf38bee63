package report

import (
	"cmp"
	"slices"

	"simkube.io/simkube/internal/results"
)

// maxOwners is how many owners the page lists.
const maxOwners = 200

// wait is a row of the worst waits.
type wait struct {
	Pod, Namespace, Owner string
	Waited                string
	Bar                   float64 // percent of the longest
	Created               string
	Node                  string // empty for none
	Wants                 string
	Reason                string
}

func worst(s *results.Summary) []wait {
	var rows []wait
	for _, w := range s.Timing.WorstWaits {
		row := wait{
			Pod: w.Name, Namespace: w.Owner.Namespace, Owner: w.Owner.Kind + " " + w.Owner.Name,
			Waited:  results.FormatSeconds(w.Seconds),
			Bar:     100 * w.Seconds / s.Timing.WorstWaits[0].Seconds,
			Created: instantText(w.Created), Node: w.Node,
			Wants:  cores(float64(w.CPUMillis)) + ", " + bytesText(float64(w.MemoryBytes)),
			Reason: w.Reason,
		}
		if row.Reason == "" {
			row.Reason = "The scheduler gave no reason: the pod stood in its queue."
		}
		rows = append(rows, row)
	}
	return rows
}

// reason is a row of what the scheduler said.
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
			Mainly: results.FormatCount(r.Mainly), Pods: results.FormatCount(r.Pods),
			Bar:       100 * float64(r.Pods) / float64(most),
			MainlyBar: 100 * float64(r.Mainly) / float64(most),
			Together:  results.FormatSeconds(r.Seconds),
		})
	}
	return rows
}

// owner is a row of the table of workloads. The numbers are what its columns sort by.
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
			PodsText: results.FormatCount(o.Pods), WaitedText: results.FormatCount(w.OverSecond),
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

// problems is what did not work as recorded.
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
	p := problems{Total: counts.Total, TotalText: results.FormatCount(counts.Total), Hidden: counts.Total - len(counts.First)}
	for _, c := range counts.ByCategory {
		p.Categories = append(p.Categories, fact{c.Category, results.FormatCount(c.Count)})
	}
	for _, f := range counts.First {
		p.First = append(p.First, problem{f.Category, f.Object, f.Message, instantText(f.Time)})
	}
	return p
}
