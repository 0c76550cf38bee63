package log

import (
	"iter"
)

// Pods returns the pods that were created before to and not deleted before from, sorted by
// creation. A time before Begin means Begin. The caller may keep the pods.
func (s *Snapshot) Pods(from, to int64) iter.Seq2[*Pod, error] {
	from = max(from, s.Begin())
	return func(yield func(*Pod, error) bool) {
		d := newDecoder()
		for kv, err := range s.scan(podSpace.first(), appendTimeKey(nil, podSpace, max(to, 0), "")) {
			var p *Pod
			if err == nil {
				p, _, err = readPod(d, kv)
			}
			switch {
			case err != nil:
				yield(nil, err)
				return
			case p.Deleted != 0 && p.Deleted < from:
			case !yield(p, nil):
				return
			}
		}
	}
}

func readPod(d *decoder, kv pair) (*Pod, Seq, error) {
	p, seq, err := d.pod(kv.key, kv.value)
	if err != nil {
		return nil, 0, corrupt("pod %q: %w", kv.key, err)
	}
	return p, seq, nil
}

// livePods returns the pods that are not known to be deleted.
func (s *Snapshot) livePods() iter.Seq2[*Pod, error] {
	return func(yield func(*Pod, error) bool) {
		d := newDecoder()
		for kv, err := range s.scan(livePodSpace.first(), livePodSpace.end()) {
			if err != nil {
				yield(nil, err)
				return
			}
			key := append(podSpace.first(), kv.key[1:]...)
			value, err := s.get(key)
			if err != nil {
				yield(nil, corrupt("pod %q: %w", key, err))
				return
			}
			p, _, err := readPod(d, pair{key, value})
			if err != nil {
				yield(nil, err)
				return
			}
			if !yield(p, nil) {
				return
			}
		}
	}
}

// Nodes returns the nodes that existed in [from, to), sorted by From. A time before Begin means
// Begin. The caller may keep the nodes.
func (s *Snapshot) Nodes(from, to int64) iter.Seq2[*Node, error] {
	from = max(from, s.Begin())
	return s.nodes(to, func(n *Node) bool { return n.To == 0 || n.To > from })
}

func (s *Snapshot) liveNodes() iter.Seq2[*Node, error] {
	return s.nodes(-1, func(n *Node) bool { return n.To == 0 })
}

// nodes returns the nodes with a From before a time, or all if it is negative, for which want is
// true.
func (s *Snapshot) nodes(to int64, want func(*Node) bool) iter.Seq2[*Node, error] {
	end := nodeSpace.end()
	if to >= 0 {
		end = appendTimeKey(nil, nodeSpace, to, "")
	}
	return func(yield func(*Node, error) bool) {
		d := newDecoder()
		for kv, err := range s.scan(nodeSpace.first(), end) {
			var n *Node
			if err == nil {
				n, _, err = readNode(d, kv)
			}
			switch {
			case err != nil:
				yield(nil, err)
				return
			case !want(n):
			case !yield(n, nil):
				return
			}
		}
	}
}

func readNode(d *decoder, kv pair) (*Node, Seq, error) {
	n, seq, err := d.node(kv.key, kv.value)
	if err != nil {
		return nil, 0, corrupt("node %q: %w", kv.key, err)
	}
	return n, seq, nil
}

// Gaps returns the gaps that overlap [from, to), in the order in which they were appended. A gap of
// length 0 counts as at its From.
func (s *Snapshot) Gaps(from, to int64) iter.Seq2[*Gap, error] {
	return func(yield func(*Gap, error) bool) {
		d := newDecoder()
		for kv, err := range s.scan(gapSpace.first(), gapSpace.end()) {
			var g *Gap
			if err == nil {
				g, err = readGap(d, kv)
			}
			switch {
			case err != nil:
				yield(nil, err)
				return
			case g.From >= to || max(g.To, g.From+1) <= from:
			case !yield(g, nil):
				return
			}
		}
	}
}

func readGap(d *decoder, kv pair) (*Gap, error) {
	g, err := d.gap(kv.value)
	if err != nil {
		return nil, corrupt("gap %q: %w", kv.key, err)
	}
	return g, nil
}
