package tracediff

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"github.com/aymanbagabas/go-udiff"
	"sigs.k8s.io/yaml"

	"simkube.io/simkube/trace"
)

// differences lists the objects that differ.
func (c *comparer) differences() error {
	var keys []objectKey
	for k, p := range c.objects {
		if p.seconds > 0 {
			keys = append(keys, k)
		}
	}
	slices.SortFunc(keys, func(a, b objectKey) int {
		return cmp.Or(cmp.Compare(trace.FormatGVK(a.gvk), trace.FormatGVK(b.gvk)), cmp.Compare(a.name, b.name))
	})
	manifests, err := c.manifests()
	if err != nil {
		return err
	}
	for _, k := range keys {
		p := c.objects[k]
		d := ObjectDifference{
			Kind: trace.FormatGVK(k.gvk), Name: k.name, Change: p.change(),
			Seconds: p.seconds, First: p.first, Last: p.last, A: p.sides[0].ObjectSide, B: p.sides[1].ObjectSide,
		}
		if d.Change != Moved {
			d.Diff = unified(d.Kind+"/"+d.Name, manifests[0][k], manifests[1][k])
			d.AddedLines, d.RemovedLines = countLines(d.Diff)
		}
		c.report.Objects = append(c.report.Objects, d)
	}
	return nil
}

func (p *pair) change() Change {
	a, b := &p.sides[0], &p.sides[1]
	switch {
	case a.Applied == 0 && b.Applied == 0:
		return Moved
	case a.Applied == 0:
		return Added
	case b.Applied == 0:
		return Removed
	case a.last != b.last:
		return Changed
	}
	return Moved
}

// manifests fetches the last manifests, as YAML, of the objects for which they differ.
func (c *comparer) manifests() (texts [2]map[objectKey]string, err error) {
	for n, s := range c.sides {
		texts[n] = map[objectKey]string{}
		wanted := map[int][]objectKey{} // by event
		for k, p := range c.objects {
			if p.seconds > 0 && p.change() != Moved && p.sides[n].Applied > 0 {
				wanted[p.sides[n].event] = append(wanted[p.sides[n].event], k)
			}
		}
		if len(wanted) == 0 {
			continue
		}
		if err := s.file.Rewind(); err != nil {
			return texts, fmt.Errorf("%s: %w", s.summary.Name, err)
		}
		summary := s.summary
		s.number, s.offset = -1, 0
		for len(wanted) > 0 {
			if err := s.advance(); err != nil {
				return texts, err
			}
			if s.event == nil {
				return texts, fmt.Errorf("%s: the file changed while it was read", s.summary.Name)
			}
			for _, k := range wanted[s.number] {
				place := c.objects[k].sides[n].place
				if place >= len(s.event.Applied) {
					return texts, fmt.Errorf("%s: the file changed while it was read", s.summary.Name)
				}
				if texts[n][k], err = manifest(&s.event.Applied[place]); err != nil {
					return texts, fmt.Errorf("%s: %s %s: %w", s.summary.Name, trace.FormatGVK(k.gvk), k.name, err)
				}
			}
			delete(wanted, s.number)
		}
		s.summary = summary
	}
	return texts, nil
}

func manifest(o *trace.Object) (string, error) {
	u, err := o.Unstructured()
	if err != nil {
		return "", err
	}
	text, err := yaml.Marshal(u.Object)
	return string(text), err
}

// unified returns the lines that differ between two texts in the unified format. A missing text is
// shown as /dev/null.
func unified(name, a, b string) string {
	from, to := "a/"+name, "b/"+name
	if a == "" {
		from = "/dev/null"
	}
	if b == "" {
		to = "/dev/null"
	}
	return udiff.Unified(from, to, a, b)
}

// countLines counts the lines that a unified diff adds and removes.
func countLines(diff string) (added, removed int) {
	for line := range strings.Lines(diff) {
		switch {
		case strings.HasPrefix(line, "+++ "), strings.HasPrefix(line, "--- "):
		case line[0] == '+':
			added++
		case line[0] == '-':
			removed++
		}
	}
	return added, removed
}
