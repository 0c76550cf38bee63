package manifest

// Node is a node as the scheduler sees it.
type Node struct {
	Head Head
	// Shape is a canonical msgpack map of labels, taints, unschedulable, capacity and allocatable, of which those that the node
	// lacks are left out. It does not change by itself: a node's heartbeats leave it as it is.
	Shape []byte
}

// ParseNode reads a node's JSON.
func ParseNode(json []byte) (Node, error) { panic("to do") }
