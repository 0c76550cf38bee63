package report

import (
	"cmp"
	"fmt"
	"math"
	"slices"
	"strings"
	"time"

	"simkube.io/simkube/internal/results"
)

const (
	heatBins = 144
	heatRows = 200 // above, nodes share rows
)

// heat is the picture of how full each node was.
type heat struct {
	Caption string
	Empty   string
	// Rows and Bins are the units of the picture.
	Rows, Bins int
	Height     int // CSS pixels
	Marks      []mark
	Labels     []tick // node names, from the top
	XTicks     []tick
	Levels     []series
	Table      *table
	names      []string
	cells      [][]int // percent; -1 where there was no node
}

// strip is one row of the picture.
type strip struct {
	name       string
	created    time.Time
	used, life []float64 // per bin, in seconds: alive times how full, alive
}

func (p *pageBuilder) heat() heat {
	strips := p.strips()
	h := heat{Bins: heatBins, XTicks: p.axis.ticks()}
	if len(strips) == 0 || p.axis.end.Sub(p.axis.start) <= 0 {
		h.Empty = "There was no node."
		return h
	}
	per := 1
	if len(strips) > heatRows {
		per = (len(strips) + heatRows - 1) / heatRows
		strips = merged(strips, per)
	}
	h.Rows = len(strips)
	row := min(max(420/float64(h.Rows), 3), 16)
	h.Height = int(math.Ceil(row * float64(h.Rows)))
	h.Caption = "What pods requested of each node, as the fuller of CPU and memory."
	if per > 1 {
		h.Caption += fmt.Sprintf(" Each row is the average of %d nodes.", per)
	}
	h.paint(strips)
	if row >= 11 {
		for i, s := range strips {
			h.Labels = append(h.Labels, tick{Pos: 100 * (float64(i) + 0.5) / float64(h.Rows), Label: s.name})
		}
	}
	h.Table = heatTable(strips)
	return h
}

// strips adds up how full each node was in each bin of the window.
func (p *pageBuilder) strips() []*strip {
	byName := map[string]*strip{}
	var strips []*strip
	rows := p.run.Nodes
	length := p.axis.end.Sub(p.axis.start).Seconds()
	for i, row := range rows {
		s, ok := byName[row.Node]
		if !ok {
			s = &strip{name: row.Node, created: row.Created, used: make([]float64, heatBins), life: make([]float64, heatBins)}
			byName[row.Node] = s
			strips = append(strips, s)
		}
		if !row.Deleted.IsZero() && !row.Time.Before(row.Deleted) {
			continue
		}
		until := p.axis.end
		if i+1 < len(rows) && rows[i+1].Node == row.Node {
			until = rows[i+1].Time
		}
		s.add(fullness(row), row.Time.Sub(p.axis.start).Seconds(), until.Sub(p.axis.start).Seconds(), length)
	}
	slices.SortStableFunc(strips, func(a, b *strip) int {
		// Nodes that existed from the start are together.
		since := func(s *strip) time.Time {
			if s.created.Before(p.axis.start) {
				return p.axis.start
			}
			return s.created
		}
		return cmp.Or(since(a).Compare(since(b)), naturalCompare(a.name, b.name))
	})
	return strips
}

// fullness is the larger requested fraction of CPU and memory.
func fullness(row results.NodeRow) float64 {
	f := 0.0
	if row.CPUAllocatableMillis > 0 {
		f = float64(row.CPUMillis) / float64(row.CPUAllocatableMillis)
	}
	if row.MemoryAllocatableBytes > 0 {
		f = max(f, float64(row.MemoryBytes)/float64(row.MemoryAllocatableBytes))
	}
	return f
}

func (s *strip) add(full, from, to, length float64) {
	from, to = max(from, 0), min(to, length)
	bin := length / heatBins
	for b := int(from / bin); b < heatBins && float64(b)*bin < to; b++ {
		overlap := min(to, float64(b+1)*bin) - max(from, float64(b)*bin)
		if overlap > 0 {
			s.life[b] += overlap
			s.used[b] += overlap * full
		}
	}
}

// merged averages groups of strips.
func merged(strips []*strip, per int) []*strip {
	var out []*strip
	for group := range slices.Chunk(strips, per) {
		m := &strip{
			name: group[0].name + " … " + group[len(group)-1].name,
			used: make([]float64, heatBins), life: make([]float64, heatBins),
		}
		for _, s := range group {
			for b := range heatBins {
				m.used[b] += s.used[b]
				m.life[b] += s.life[b]
			}
		}
		out = append(out, m)
	}
	return out
}

// levels are the steps of the palette: each has the percentages below its limit.
var levels = []step{{1, "empty"}, {25, "under 25%"}, {50, "under 50%"}, {75, "under 75%"}, {95, "under 95%"}, {math.MaxInt, "95% and more"}}

type step struct {
	below int
	name  string
}

func level(percent int) int {
	return slices.IndexFunc(levels, func(s step) bool { return percent < s.below })
}

func (h *heat) paint(strips []*strip) {
	paths := make([]pathBuilder, len(levels))
	for r, s := range strips {
		cells := make([]int, heatBins)
		for b := range cells {
			cells[b] = -1
			if s.life[b] > 0 {
				cells[b] = int(math.Round(100 * s.used[b] / s.life[b]))
			}
		}
		for b := 0; b < heatBins; {
			run := b + 1
			if cells[b] >= 0 {
				l := level(cells[b])
				for run < heatBins && cells[run] >= 0 && level(cells[run]) == l {
					run++
				}
				paths[l].box(float64(b), float64(r)+0.1, float64(run-b), 0.8)
			}
			b = run
		}
		h.names = append(h.names, s.name)
		h.cells = append(h.cells, cells)
	}
	for l := range paths {
		class := fmt.Sprintf("heat%d", l)
		h.Levels = append(h.Levels, series{Name: levels[l].name, Class: class})
		if d := paths[l].String(); d != "" {
			h.Marks = append(h.Marks, mark{Class: class, D: d, Title: levels[l].name})
		}
	}
}

func heatTable(strips []*strip) *table {
	t := &table{Head: []string{"Node", "Mean fullness", "Highest"}}
	for _, s := range strips {
		used, life, high := 0.0, 0.0, 0.0
		for b := range heatBins {
			used += s.used[b]
			life += s.life[b]
			if s.life[b] > 0 {
				high = max(high, s.used[b]/s.life[b])
			}
		}
		if life > 0 {
			used /= life
		}
		t.Rows = append(t.Rows, []string{s.name, results.FormatPercent(used), results.FormatPercent(high)})
	}
	return t
}

// naturalCompare orders node-2 before node-10.
func naturalCompare(a, b string) int {
	for a != "" && b != "" {
		da, db := digits(a), digits(b)
		if da > 0 && db > 0 {
			na, nb := strings.TrimLeft(a[:da], "0"), strings.TrimLeft(b[:db], "0")
			if c := cmp.Or(cmp.Compare(len(na), len(nb)), strings.Compare(na, nb), cmp.Compare(da, db)); c != 0 {
				return c
			}
			a, b = a[da:], b[db:]
			continue
		}
		if a[0] != b[0] {
			return cmp.Compare(a[0], b[0])
		}
		a, b = a[1:], b[1:]
	}
	return cmp.Compare(len(a), len(b))
}

// digits returns how many digits a string begins with.
func digits(s string) int {
	return len(s) - len(strings.TrimLeft(s, "0123456789"))
}
