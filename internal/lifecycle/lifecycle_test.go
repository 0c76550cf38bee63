package lifecycle

import (
	"testing"
	"time"

	"simkube.io/simkube/trace"
)

var empty = trace.Lifecycle{}

func running(start int64) trace.Lifecycle {
	return trace.Lifecycle{State: trace.Running, Start: start}
}

func finished(start, end int64) trace.Lifecycle {
	return trace.Lifecycle{State: trace.Finished, Start: start, End: end}
}

func TestMerge(t *testing.T) {
	for name, c := range map[string]struct {
		known, observed, want trace.Lifecycle
	}{
		"first observation":      {empty, running(5), running(5)},
		"already over":           {empty, finished(5, 9), finished(5, 9)},
		"nothing new":            {running(5), running(5), running(5)},
		"lost sight of":          {running(5), empty, running(5)},
		"finishes":               {running(5), finished(5, 9), finished(5, 9)},
		"late news":              {finished(5, 9), running(5), finished(5, 9)},
		"restarts while running": {running(5), running(7), running(5)},
		"restart that finishes":  {running(5), finished(7, 9), running(5)},
		"earlier start":          {running(5), running(3), running(5)},
		"another end":            {finished(5, 9), finished(5, 11), finished(5, 9)},
	} {
		t.Run(name, func(t *testing.T) {
			if got := Merge(c.known, c.observed); got != c.want {
				t.Errorf("Merge(%v, %v) = %v, want %v", c.known, c.observed, got, c.want)
			}
		})
	}
}

func TestCompare(t *testing.T) {
	for name, c := range map[string]struct {
		a, b  trace.Lifecycle
		order int
		ok    bool
	}{
		"both empty":        {empty, empty, 0, true},
		"empty is least":    {empty, finished(1, 2), -1, true},
		"equal":             {finished(1, 2), finished(1, 2), 0, true},
		"running is less":   {running(1), finished(1, 2), -1, true},
		"finished is more":  {finished(1, 2), running(1), 1, true},
		"different starts":  {running(1), finished(2, 3), 0, false},
		"different ends":    {finished(1, 2), finished(1, 3), 0, false},
		"different running": {running(1), running(2), 0, false},
	} {
		t.Run(name, func(t *testing.T) {
			if order, ok := Compare(c.a, c.b); order != c.order || ok != c.ok {
				t.Errorf("Compare(%v, %v) = %d, %t, want %d, %t", c.a, c.b, order, ok, c.order, c.ok)
			}
		})
	}
}

func TestOverlapsAndTruncate(t *testing.T) {
	const start, end = 100, 200
	for name, c := range map[string]struct {
		lifecycle trace.Lifecycle
		overlaps  bool
		truncated trace.Lifecycle
	}{
		"empty":                     {empty, false, empty},
		"runs from before":          {running(50), true, running(100)},
		"runs from within":          {running(150), true, running(150)},
		"runs from the end":         {running(200), false, running(200)},
		"over before":               {finished(50, 99), false, finished(100, 99)},
		"over in the first second":  {finished(50, 100), true, finished(100, 100)},
		"around the whole window":   {finished(50, 250), true, finished(100, 250)},
		"starts in the last second": {finished(199, 250), true, finished(199, 250)},
		"starts at the end":         {finished(200, 250), false, finished(200, 250)},
	} {
		t.Run(name, func(t *testing.T) {
			if got := Overlaps(c.lifecycle, start, end); got != c.overlaps {
				t.Errorf("Overlaps(%v) = %t, want %t", c.lifecycle, got, c.overlaps)
			}
			if got := Truncate(c.lifecycle, start); got != c.truncated {
				t.Errorf("Truncate(%v) = %v, want %v", c.lifecycle, got, c.truncated)
			}
		})
	}
}

func TestDuration(t *testing.T) {
	for name, c := range map[string]struct {
		lifecycle trace.Lifecycle
		want      time.Duration
		ok        bool
	}{
		"empty":        {empty, 0, false},
		"running":      {running(5), 0, false},
		"finished":     {finished(5, 35), 30 * time.Second, true},
		"at once":      {finished(5, 5), 0, true},
		"back in time": {finished(5, 3), 0, true},
	} {
		t.Run(name, func(t *testing.T) {
			if got, ok := Duration(c.lifecycle); got != c.want || ok != c.ok {
				t.Errorf("Duration(%v) = %v, %t, want %v, %t", c.lifecycle, got, ok, c.want, c.ok)
			}
		})
	}
}
