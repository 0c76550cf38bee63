package report

import "simkube.io/simkube/internal/results"

// maxPoints is how many points a chart has: more than a screen has pixels for would only make the
// page heavier.
const maxPoints = 600

// thin keeps at most maxPoints rows of a timeline: of each stretch the row at which most pods waited,
// because that is what a picture must not lose, with the lags of the whole stretch. The first and the
// last row always stay.
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
