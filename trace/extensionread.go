package trace

import "errors"

// ParseExtension parses the value of x-simkube, see [Trace]. It skips unknown keys; the values of
// known keys must have the right types. An error is a [*FormatError] with an offset in raw; for a
// newer version it is an ErrExtensionVersion.
func ParseExtension(raw []byte) (*Extension, error) {
	versionErr := checkExtensionVersion(raw)
	if versionErr != nil && errors.Is(versionErr, ErrExtensionVersion) {
		return nil, versionErr.in(keyExtension)
	}
	s := scanner{input: wholeInput(raw)}
	x := &Extension{}
	err := s.fields(func(key []byte) (err *FormatError) {
		switch string(key) {
		case keyEventTimes:
			x.EventTimes, err = listOf(&s, s.millis)
		case keyGaps:
			x.Gaps, err = listOf(&s, s.gap)
		case keyNodes:
			x.Nodes, err = listOf(&s, s.node)
		case keyPods:
			x.Pods, err = listOf(&s, s.podTimes)
		default:
			err = s.skipAny(extensionDepth)
		}
		return err
	})
	switch {
	case err != nil: // The position is more exact than that of the version check.
	case versionErr != nil:
		err = versionErr
	case s.pos != len(raw):
		err = s.fail(s.pos, ErrTrailing, "want the end of the extension, got more bytes")
	}
	if err != nil {
		return nil, err.in(keyExtension)
	}
	return x, nil
}

// ParseNodeShape parses the map that encodes a [NodeShape] in an extension. Its errors are those of
// ParseExtension.
func ParseNodeShape(raw []byte) (NodeShape, error) {
	s := scanner{input: wholeInput(raw)}
	var node NodePeriod
	err := s.fields(func(key []byte) *FormatError { return s.nodeField(key, &node) })
	if err == nil && s.pos != len(raw) {
		err = s.fail(s.pos, ErrTrailing, "want the end of the node, got more bytes")
	}
	if err != nil {
		return NodeShape{}, err
	}
	return node.NodeShape, nil
}

// extensionDepth is the nesting depth of the fields of the extension. The fields of the maps in its
// lists are two levels deeper.
const extensionDepth = 2

// checkExtensionVersion checks the version first, because another version may have another
// structure.
func checkExtensionVersion(raw []byte) *FormatError {
	s := scanner{input: wholeInput(raw)}
	found := false
	err := s.fields(func(key []byte) *FormatError {
		if string(key) != keyVersion {
			return s.skipAny(extensionDepth)
		}
		found = true
		pos := s.pos
		v, negative, err := s.number()
		switch {
		case err != nil:
			return err
		case negative || v == 0:
			return s.fail(pos, ErrValue, "unknown version %d", int64(v))
		case v > ExtensionVersion:
			return s.fail(pos, ErrExtensionVersion, "version %d is not supported: must be at most %d", v, ExtensionVersion)
		}
		return nil
	})
	if err == nil && !found {
		err = s.missing(keyVersion, 0)
	}
	return err
}

// listOf reads an array.
func listOf[T any](s *scanner, element func() (T, *FormatError)) ([]T, *FormatError) {
	n, err := s.arrayHeader()
	if err != nil {
		return nil, err
	}
	var list []T
	for i := range n {
		v, err := element()
		if err != nil {
			return nil, err.at(i)
		}
		list = append(list, v)
	}
	return list, nil
}

func (s *scanner) millis() ([]uint16, *FormatError) {
	return listOf(s, func() (uint16, *FormatError) {
		pos := s.pos
		v, negative, err := s.number()
		if err == nil && (negative || v > maxMillis) {
			err = s.fail(pos, ErrValue, "want milliseconds within a second, got %d", int64(v))
		}
		return uint16(v), err
	})
}

func (s *scanner) gap() (Gap, *FormatError) {
	from, to, err := s.startAndEnd()
	return Gap{from, to}, err
}

func (s *scanner) node() (NodePeriod, *FormatError) {
	var node NodePeriod
	named := false
	start := s.pos
	err := s.fields(func(key []byte) (err *FormatError) {
		switch string(key) {
		case "name":
			named = true
			node.Name, err = s.text()
		case "from":
			node.From, err = s.seconds()
		case "to":
			node.To, err = s.seconds()
		default:
			err = s.nodeField(key, &node)
		}
		return err
	})
	if err == nil && !named {
		err = s.missing("name", start)
	}
	return node, err
}

// nodeField reads a field of a node's shape.
func (s *scanner) nodeField(key []byte, node *NodePeriod) (err *FormatError) {
	switch string(key) {
	case "labels":
		node.Labels, err = s.texts()
	case "taints":
		node.Taints, err = listOf(s, s.taint)
	case "unschedulable":
		node.Unschedulable, err = s.boolean()
	case "capacity":
		node.Capacity, err = s.texts()
	case "allocatable":
		node.Allocatable, err = s.texts()
	default:
		err = s.skipAny(extensionDepth + 2)
	}
	return err
}

// texts reads a map of strings.
func (s *scanner) texts() (map[string]string, *FormatError) {
	texts := map[string]string{}
	err := s.fields(func(key []byte) *FormatError {
		k := string(key)
		v, err := s.text()
		texts[k] = v
		return err
	})
	return texts, err
}

func (s *scanner) taint() (Taint, *FormatError) {
	var t Taint
	err := s.fields(func(key []byte) (err *FormatError) {
		switch string(key) {
		case "key":
			t.Key, err = s.text()
		case "value":
			t.Value, err = s.text()
		case "effect":
			t.Effect, err = s.text()
		default:
			err = s.skipAny(extensionDepth + 4)
		}
		return err
	})
	return t, err
}

func (s *scanner) podTimes() (PodTimes, *FormatError) {
	var p PodTimes
	var owned, named bool
	start := s.pos
	err := s.fields(func(key []byte) (err *FormatError) {
		switch string(key) {
		case "owner":
			owned = true
			p.Owner, err = s.owner()
		case "namespace":
			p.Namespace, err = s.text()
		case "name":
			named = true
			p.Name, err = s.text()
		case "hash":
			p.Hash, _, err = s.number()
		case "created":
			p.Created, err = s.seconds()
		case "scheduled":
			p.Scheduled, err = s.seconds()
		case "started":
			p.Started, err = s.seconds()
		case "finished":
			p.Finished, err = s.seconds()
		case "deleted":
			p.Deleted, err = s.seconds()
		case "node":
			p.Node, err = s.text()
		default:
			err = s.skipAny(extensionDepth + 2)
		}
		return err
	})
	switch {
	case err != nil:
	case !owned:
		err = s.missing("owner", start)
	case !named:
		err = s.missing("name", start)
	}
	return p, err
}
