package report

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

func labels(ticks []tick) []string {
	var out []string
	for _, t := range ticks {
		out = append(out, t.Label)
	}
	return out
}

func TestValueTicks(t *testing.T) {
	for name, c := range map[string]struct {
		top   float64
		whole bool
		want  []string
	}{
		"nothing":        {0, true, []string{"0", "1"}},
		"one pod":        {1, true, []string{"0", "1"}},
		"few":            {3, true, []string{"0", "1", "2", "3"}},
		"hundreds":       {651, true, []string{"0", "200", "400", "600", "800"}},
		"fractions":      {0.31, false, []string{"0.0", "0.1", "0.2", "0.3", "0.4"}},
		"thousands":      {12800, false, []string{"0", "5,000", "10,000", "15,000"}},
		"just at a tick": {400, true, []string{"0", "100", "200", "300", "400"}},
	} {
		t.Run(name, func(t *testing.T) {
			ticks, end := valueTicks(c.top, c.whole)
			if diff := cmp.Diff(c.want, labels(ticks)); diff != "" {
				t.Errorf("labels (-want +got):\n%s", diff)
			}
			if end < c.top {
				t.Errorf("the axis ends at %g, below %g", end, c.top)
			}
			for _, tk := range ticks {
				if tk.Pos < 0 || tk.Pos > 100.001 {
					t.Errorf("tick %+v is off the axis", tk)
				}
			}
		})
	}
}

func TestTimeAxis_Ticks(t *testing.T) {
	begin := time.Date(2026, 3, 10, 22, 7, 0, 0, time.UTC)
	for name, c := range map[string]struct {
		length time.Duration
		want   []string
	}{
		"seconds": {2 * time.Second, []string{"22:07:00.0", "22:07:00.5", "22:07:01.0", "22:07:01.5", "22:07:02.0"}},
		"minutes": {4 * time.Minute, []string{"22:07:00", "22:07:30", "22:08:00", "22:08:30", "22:09:00", "22:09:30", "22:10:00", "22:10:30", "22:11:00"}},
		"hours":   {5 * time.Hour, []string{"10 Mar 23:00", "11 Mar", "01:00", "02:00", "03:00"}},
		"days":    {3 * 24 * time.Hour, []string{"11 Mar", "12:00", "12 Mar", "12:00", "13 Mar", "12:00"}},
		"years":   {1000 * 24 * time.Hour, nil},
		"nothing": {0, []string{}},
	} {
		t.Run(name, func(t *testing.T) {
			got := timeAxis{begin, begin.Add(c.length)}.ticks()
			if len(got) > 9 {
				t.Errorf("%d ticks are too many", len(got))
			}
			if c.want != nil {
				if diff := cmp.Diff(c.want, append([]string{}, labels(got)...)); diff != "" {
					t.Errorf("labels (-want +got):\n%s", diff)
				}
			}
		})
	}
}

func TestNaturalCompare(t *testing.T) {
	sorted := []string{"", "a", "node-2", "node-02", "node-10", "node-10a", "node-a", "zone"}
	for i, a := range sorted {
		for j, b := range sorted {
			got, want := naturalCompare(a, b), 0
			if i < j {
				want = -1
			} else if i > j {
				want = 1
			}
			if got != want {
				t.Errorf("%q and %q: got %d, want %d", a, b, got, want)
			}
		}
	}
}
