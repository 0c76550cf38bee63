package report

import (
	"fmt"
	"math"
	"strconv"
	"strings"
	"time"

	"simkube.io/simkube/internal/results"
)

// chart is a figure. Its marks are drawn in a box of 1000 by 1000 that the page stretches. The text
// around it is HTML, and stays readable at any width.
type chart struct {
	ID      string
	Title   string
	Caption string
	// Describe describes the picture for people who cannot see it.
	Describe string
	Wide     bool
	UnitName string // above the value axis
	YTicks   []tick
	XTicks   []tick
	Marks    []mark
	Rules    []rule
	Series   []series
	// Empty replaces the picture if there is nothing to draw.
	Empty string
	Table *table
	unit  valueUnit // of the values
}

// UnitKey returns the name of the chart's unit, for the page's script.
func (c *chart) UnitKey() string { return c.unit.Name }

// empty returns the chart with a sentence instead of the picture.
func (c chart) empty(why string) []chart {
	c.Caption, c.Empty = "", why
	return []chart{c}
}

// mark is a path with a CSS class.
type mark struct {
	Class string
	D     string
	Title string
}

// rule is a labelled line across the chart: at a value (from the bottom) or, if upright, at a
// position on the x axis.
type rule struct {
	Pos     float64
	Label   string
	Upright bool
	// Left puts the label to the left of an upright line. Row is how far down the label is, in em.
	Left bool
	Row  float64
}

// series is an entry of the legend.
type series struct {
	Name  string
	Class string
	Line  bool
	// Key names the values in the page's data, for the script. It is set if value is.
	Key string
	// value returns the value of a row, to be drawn and shown under the pointer; nil if the series is
	// not over time.
	value func(*results.TimelineRow) float64
	// counts formats values under the pointer as counts, whatever the unit of the chart.
	counts bool
}

// Unit returns the name of the series' own unit, for the page's script; empty for the unit of the
// chart.
func (s series) Unit() string {
	if s.counts {
		return counted().Name
	}
	return ""
}

// table has the numbers of a chart.
type table struct {
	Head []string
	Rows [][]string
}

// timeChart draws stacked areas, and lines over them, of thinned rows.
type timeChart struct {
	chart
	stack []series
	lines []series
	// scale divides values for the axis: bytes to GiB.
	scale float64
}

func (p *pageBuilder) draw(c timeChart) []chart {
	rows := p.points
	if len(rows) == 0 {
		c.Empty = "There is nothing to draw: the simulation was not observed for any time."
		return []chart{c.chart}
	}
	top := 0.0
	for i := range rows {
		sum := 0.0
		for _, l := range c.stack {
			sum += l.value(&rows[i])
		}
		top = max(top, sum)
		for _, l := range c.lines {
			top = max(top, l.value(&rows[i]))
		}
	}
	ticks, end := valueTicks(top/c.scale, c.unit.Whole)
	end *= c.scale
	c.YTicks, c.XTicks = ticks, p.axis.ticks()

	base := make([]float64, len(rows))
	for _, l := range c.stack {
		upper := make([]float64, len(rows))
		visible := false
		for i := range rows {
			v := l.value(&rows[i])
			visible = visible || v > 0
			upper[i] = base[i] + v
		}
		c.Series = append(c.Series, l)
		if visible {
			c.Marks = append(c.Marks, mark{Class: "area " + l.Class, D: p.area(rows, base, upper, end), Title: l.Name})
		}
		base = upper
	}
	for _, l := range c.lines {
		values := make([]float64, len(rows))
		for i := range rows {
			values[i] = l.value(&rows[i])
		}
		c.Series = append(c.Series, l)
		c.Marks = append(c.Marks, mark{Class: "line " + l.Class, D: p.steps(rows, values, end), Title: l.Name})
	}
	c.Table = p.timeTable(c)
	return []chart{c.chart}
}

// steps draws values that hold until the next one.
func (p *pageBuilder) steps(rows []results.TimelineRow, values []float64, end float64) string {
	var d pathBuilder
	d.move(10*p.axis.pos(rows[0].Time), y(values[0], end))
	for i := 1; i < len(rows); i++ {
		d.across(10 * p.axis.pos(rows[i].Time))
		d.down(y(values[i], end))
	}
	return d.String()
}

// area draws the area between two lines of steps, where it is not empty.
func (p *pageBuilder) area(rows []results.TimelineRow, lower, upper []float64, end float64) string {
	var d pathBuilder
	for i := 0; i < len(rows); {
		if upper[i] <= lower[i] {
			i++
			continue
		}
		stop := i + 1
		for stop < len(rows) && upper[stop] > lower[stop] {
			stop++
		}
		p.stretch(&d, rows, lower, upper, i, stop, end)
		i = stop
	}
	return d.String()
}

// stretch draws one piece of an area: from row first to row stop.
func (p *pageBuilder) stretch(d *pathBuilder, rows []results.TimelineRow, lower, upper []float64, first, stop int, end float64) {
	x := func(i int) float64 { return 10 * p.axis.pos(rows[min(i, len(rows)-1)].Time) }
	d.move(x(first), y(lower[first], end))
	d.down(y(upper[first], end))
	for i := first + 1; i < stop; i++ {
		d.across(x(i))
		d.down(y(upper[i], end))
	}
	d.across(x(stop))
	d.down(y(lower[stop-1], end))
	for i := stop - 1; i > first; i-- {
		d.across(x(i))
		d.down(y(lower[i-1], end))
	}
	d.close()
}

func y(value, end float64) float64 { return 1000 * (1 - value/end) }

// timeTable returns the numbers at about two dozen times.
func (p *pageBuilder) timeTable(c timeChart) *table {
	t := &table{Head: []string{"Time (UTC)"}}
	all := append(append([]series{}, c.stack...), c.lines...)
	for _, l := range all {
		t.Head = append(t.Head, l.Name)
	}
	const wanted = 24
	n := len(p.points)
	for i := range min(wanted, n) {
		at := i
		if n > wanted {
			at = i * (n - 1) / (wanted - 1)
		}
		row := p.points[at]
		cells := []string{row.Time.Format("2 Jan " + p.clockLayout())}
		for _, l := range all {
			cells = append(cells, c.unit.format(l.value(&row)))
		}
		t.Rows = append(t.Rows, cells)
	}
	return t
}

// clockLayout returns the layout that distinguishes the times of this run.
func (p *pageBuilder) clockLayout() string {
	switch length := p.axis.end.Sub(p.axis.start); {
	case length >= 2*time.Hour:
		return "15:04"
	case length >= 30*time.Second:
		return "15:04:05"
	}
	return "15:04:05.0"
}

// pathBuilder writes SVG path data. It leaves out steps that do not move.
type pathBuilder struct {
	out  strings.Builder
	x, y string
}

func (b *pathBuilder) move(x, y float64) {
	b.x, b.y = coord(x), coord(y)
	fmt.Fprintf(&b.out, "M%s %s", b.x, b.y)
}

func (b *pathBuilder) across(x float64) {
	if s := coord(x); s != b.x {
		b.x = s
		b.out.WriteString("H" + s)
	}
}

func (b *pathBuilder) down(y float64) {
	if s := coord(y); s != b.y {
		b.y = s
		b.out.WriteString("V" + s)
	}
}

func (b *pathBuilder) close() { b.out.WriteByte('Z') }

// box draws a rectangle.
func (b *pathBuilder) box(x, y, width, height float64) {
	fmt.Fprintf(&b.out, "M%s %sh%sv%sh-%sZ", coord(x), coord(y), coord(width), coord(height), coord(width))
}

func (b *pathBuilder) String() string { return b.out.String() }

func coord(v float64) string { return strconv.FormatFloat(math.Round(v*10)/10, 'f', -1, 64) }
