package packing

import "slices"

const (
	// epsilon is what counts as zero. What offers have and demands are at most 1.
	epsilon = 1e-11
	// maxPivots bounds the search. With half a dozen resources it takes about as many.
	maxPivots = 1000
)

// dictionary is the state of the simplex method: basic variables as linear functions of the others.
// Variables are numbered: first the prices of resources, then what each offer costs in addition to
// what it is worth.
type dictionary struct {
	// rows[i][j] is how much the basic variable i falls if the other variable j grows by one.
	rows [][]float64
	// values are those of the basic variables while the others are zero.
	values []float64
	// gains is how much the objective grows with each of the others.
	gains         []float64
	basic, others []int
}

// maximize returns prices of the resources, in the order of b.resources, for which the demand is
// worth as much as possible. It starts with all prices zero, so that no offer is worth more than it
// costs.
func (b *Bound) maximize(demand []float64) []float64 {
	n := len(demand)
	d := dictionary{gains: slices.Clone(demand)}
	for i, row := range b.rows {
		d.rows = append(d.rows, slices.Clone(row))
		d.values = append(d.values, 1) // a dollar
		d.basic = append(d.basic, n+i)
	}
	for j := range n {
		d.others = append(d.others, j)
	}
	for range maxPivots {
		enters := d.entering()
		if enters < 0 {
			break
		}
		leaves := d.leaving(enters)
		if leaves < 0 {
			break // no offer has the resource, which New excludes
		}
		d.pivot(leaves, enters)
	}
	y := make([]float64, n)
	for i, variable := range d.basic {
		if variable < n {
			y[variable] = max(0, d.values[i])
		}
	}
	return y
}

// entering returns which of the others the objective grows with, or -1 if there is none. Here and
// in leaving, the lowest number is chosen of several that would do (Bland's rule), with which the
// method ends.
func (d *dictionary) entering() int {
	best := -1
	for j, gain := range d.gains {
		if gain > epsilon && (best < 0 || d.others[j] < d.others[best]) {
			best = j
		}
	}
	return best
}

// leaving returns the basic variable that becomes zero first when another grows.
func (d *dictionary) leaving(enters int) int {
	best, limit := -1, 0.0
	for i, row := range d.rows {
		if row[enters] <= epsilon {
			continue
		}
		ratio := d.values[i] / row[enters]
		if best < 0 || ratio < limit || ratio == limit && d.basic[i] < d.basic[best] {
			best, limit = i, ratio
		}
	}
	return best
}

// pivot makes a basic variable one of the others, and one of the others basic.
func (d *dictionary) pivot(leaves, enters int) {
	row := d.rows[leaves]
	by := row[enters]
	row[enters] = 1
	for j := range row {
		row[j] /= by
	}
	d.values[leaves] /= by
	for i, other := range d.rows {
		if i == leaves || other[enters] == 0 {
			continue
		}
		factor := other[enters]
		other[enters] = 0
		for j := range other {
			other[j] -= factor * row[j]
		}
		d.values[i] = max(0, d.values[i]-factor*d.values[leaves])
	}
	gain := d.gains[enters]
	d.gains[enters] = 0
	for j := range d.gains {
		d.gains[j] -= gain * row[j]
	}
	d.basic[leaves], d.others[enters] = d.others[enters], d.basic[leaves]
}
