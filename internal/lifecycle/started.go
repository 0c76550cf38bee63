package lifecycle

import (
	"slices"

	"simkube.io/simkube/trace"
)

// Started returns when the pods of an owner started that were running at a time, or that started
// within the minute of that time, rounded down to minutes, without duplicates and in order. A
// CronJob is due at whole minutes: these are the runs that its controller has started if the owner
// existed before that time. All times are in unix seconds.
func (s *Store) Started(owner trace.PodOwner, at int64) []int64 {
	const minute = 60
	if s == nil {
		return nil
	}
	o := s.owners[keyOf(owner)]
	if o == nil {
		return nil
	}
	var minutes []int64
	for _, r := range o.all {
		begin := r.Start - ((r.Start%minute)+minute)%minute
		if r.State == trace.Empty || begin > at || r.State == trace.Finished && r.End < at {
			continue
		}
		minutes = append(minutes, begin)
	}
	slices.Sort(minutes)
	return slices.Compact(minutes)
}
