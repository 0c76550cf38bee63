package report

import (
	"simkube.io/simkube/internal/results"
	"simkube.io/simkube/internal/words"
)

// part is a part of the page that has charts.
type part string

// The parts of the page, in its order.
const (
	overview part = "overview"
	spending part = "spending"
	waiting  part = "waiting"
	replay   part = "replay"
)

// charts lists the charts of the page, by part and in order. To add one, write the function that
// draws it in a file of its own and add it here.
func charts() []placement {
	return []placement{
		{overview, podsChart},
		{overview, resourceCharts},
		{overview, nodesChart},
		{overview, decisionChart},
		{spending, costChart},
		{waiting, pendingChart},
		{replay, lagChart},
	}
}

// placement is the part of the page for a function's charts.
type placement struct {
	part part
	draw func(*pageBuilder) []chart
}

// drawAll draws all charts. Cards are two in a row: if the last row of the overview has room, the
// first chart of the replay fills it.
func (p *pageBuilder) drawAll() map[part][]chart {
	all := map[part][]chart{}
	for _, placement := range charts() {
		all[placement.part] = append(all[placement.part], placement.draw(p)...)
	}
	narrow := 0
	for _, c := range all[overview] {
		if !c.Wide {
			narrow++
		}
	}
	if late := all[replay]; narrow%2 == 1 && len(late) > 0 {
		all[overview], all[replay] = append(all[overview], late[0]), late[1:]
	}
	return all
}

// valueUnit is how values of a chart are formatted: in Go for its table, and by the page's script
// for values under the pointer.
type valueUnit struct {
	// Name identifies the unit.
	Name string `json:"-"`
	// Whole values have no decimals.
	Whole bool `json:"whole"`
	// Scales are ordered from the largest: a value is formatted with the first scale whose From it
	// reaches.
	Scales []valueScale `json:"scales"`
}

type valueScale struct {
	From   float64 `json:"from"`
	Size   float64 `json:"size"`
	Suffix string  `json:"suffix"`
}

func (u valueUnit) format(v float64) string {
	for _, s := range u.Scales {
		if v >= s.From {
			if u.Whole {
				return words.Number(int(v/s.Size)) + s.Suffix
			}
			return results.FormatNumber(v/s.Size) + s.Suffix
		}
	}
	return results.FormatNumber(v)
}

func counted() valueUnit {
	return valueUnit{Name: "count", Whole: true, Scales: []valueScale{{Size: 1}}}
}

func millicores() valueUnit {
	return valueUnit{Name: "millicores", Scales: []valueScale{{Size: 1000, Suffix: " cores"}}}
}

// inBytes formats zero as 0 GiB.
func inBytes() valueUnit {
	return valueUnit{Name: "bytes", Scales: []valueScale{
		{From: 1 << 40, Size: 1 << 40, Suffix: " TiB"},
		{From: 1 << 30, Size: 1 << 30, Suffix: " GiB"},
		{From: 1, Size: 1 << 20, Suffix: " MiB"},
		{Size: 1 << 30, Suffix: " GiB"},
	}}
}

func seconds() valueUnit {
	return valueUnit{Name: "seconds", Scales: []valueScale{{From: 1, Size: 1, Suffix: " s"}, {Size: 0.001, Suffix: " ms"}}}
}

func cores(v float64) string {
	if v == 1000 {
		return "1 core"
	}
	return millicores().format(v)
}

func bytesText(v float64) string { return inBytes().format(v) }
