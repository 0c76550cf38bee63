package report

import "simkube.io/simkube/internal/results"

// maxPoints is the maximum number of points in a chart. More than a screen has pixels would only
// make the page larger.
const maxPoints = 600

// thin returns at most maxPoints rows of a timeline. Of each stretch it keeps the row with the most
// pending pods, because the picture must show that, with the lags of the whole stretch. The first
// and the last row are always kept.
func thin(rows []results.TimelineRow) []results.TimelineRow {
	if len(rows) <= maxPoints {
		return rows
	}
	kept := make([]results.TimelineRow, 0, maxPoints)
	kept = append(kept, rows[0])
	inner := rows[1 : len(rows)-1]
	bins := maxPoints - 2
	for b := range bins {
		part := inner[b*len(inner)/bins : (b+1)*len(inner)/bins]
		if len(part) == 0 {
			continue
		}
		pick := part[0]
		for _, row := range part[1:] {
			if row.Pending > pick.Pending {
				pick = row
			}
		}
		pick.Events, pick.LagMaxSeconds, pick.LagP99Seconds = 0, 0, 0
		for _, row := range part {
			pick.Events += row.Events
			pick.LagMaxSeconds = max(pick.LagMaxSeconds, row.LagMaxSeconds)
			pick.LagP99Seconds = max(pick.LagP99Seconds, row.LagP99Seconds)
		}
		kept = append(kept, pick)
	}
	return append(kept, rows[len(rows)-1])
}
