package tracer

import (
	"bytes"
	"context"
	"slices"
	"strings"

	"simkube.io/simkube/internal/tracer/log"
	"simkube.io/simkube/internal/tracer/manifest"
)

// nodes records the nodes with the intervals in which their shape did not change. It must be used
// by one goroutine.
type nodes struct {
	t    *Tracer
	live map[string]*liveNode // by UID
	list uint32
}

type liveNode struct {
	log.Node
	list uint32
}

// load reads the nodes that existed when the log was last written.
func (n *nodes) load() error {
	n.live = map[string]*liveNode{}
	for node, err := range n.t.log.LiveNodes() {
		if err != nil {
			return err
		}
		clone := *node
		clone.Shape = slices.Clone(node.Shape)
		n.live[node.UID] = &liveNode{Node: clone}
	}
	return nil
}

func (n *nodes) begin() { n.list++ }

// object records a node in its present state.
func (n *nodes) object(ctx context.Context, json []byte) error {
	m, err := manifest.ParseNode(json)
	if err != nil {
		n.t.logger.WarnContext(ctx, "unreadable node", "error", err)
		return nil
	}
	node := n.live[m.Head.UID]
	if node != nil {
		node.list = n.list
		if bytes.Equal(node.Shape, m.Shape) {
			return nil
		}
	}
	if node == nil {
		n.t.owners.learn(&m.Head) // nodes own their mirror pods
	}
	now := n.now(node)
	next := &liveNode{list: n.list, Node: log.Node{UID: strings.Clone(m.Head.UID), Name: strings.Clone(m.Head.Name), From: now, Shape: bytes.Clone(m.Shape)}}
	n.live[next.UID] = next
	if node == nil {
		return n.append(ctx, &next.Node)
	}
	if node.From == now {
		// Within the same millisecond, the new shape replaces the old one.
		return n.append(ctx, &next.Node)
	}
	node.To = now
	return n.append(ctx, &node.Node, &next.Node)
}

// now returns the time, but not one before the node's From, since a clock may be set back.
func (n *nodes) now(node *liveNode) int64 {
	ms := n.t.clock.Now().UnixMilli()
	if node != nil {
		ms = max(ms, node.From)
	}
	return ms
}

// gone records that a node was deleted.
func (n *nodes) gone(ctx context.Context, head *manifest.Head) error {
	node := n.live[head.UID]
	if node == nil {
		return nil
	}
	delete(n.live, head.UID)
	node.To = n.now(node)
	return n.append(ctx, &node.Node)
}

// complete records the nodes that were not seen since begin as deleted.
func (n *nodes) complete(ctx context.Context) error {
	for uid, node := range n.live {
		if node.list == n.list {
			continue
		}
		delete(n.live, uid)
		node.To = n.now(node)
		if err := n.append(ctx, &node.Node); err != nil {
			return err
		}
	}
	return nil
}

func (n *nodes) append(ctx context.Context, nodes ...*log.Node) error {
	entries := make([]log.Entry, len(nodes))
	for i, node := range nodes {
		entry := *node
		entries[i] = &entry
	}
	return n.t.append(ctx, entries...)
}
