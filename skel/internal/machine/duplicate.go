package machine

import (
	"fmt"
	"strconv"

	"github.com/tinylib/msgp/msgp"

	"simkube.io/simkube/skel/internal/document"
)

// copyLabel distinguishes a copy, and its pods, from the original.
const copyLabel = "simkube.io/copy"

// labelPaths returns the places where a copy gets the label, if it has a map of labels there.
// Without it, the selectors of the copies would match each other's pods.
func labelPaths() [][]string {
	return [][]string{
		{"spec", "selector", "matchLabels"},
		{"spec", "template", "metadata", "labels"},
		{"spec", "jobTemplate", "spec", "template", "metadata", "labels"},
	}
}

// maxName is the maximum length of the name of an object.
const maxName = 253

// duplicate copies the manifest. The copies are processed by the commands after this one.
func (m *Machine) duplicate(i int, c *command) error {
	if len(m.outputs)+len(m.pending)+c.copies > m.limits.Objects {
		return &Error{Message: fmt.Sprintf("one object would become more than %d objects", m.limits.Objects)}
	}
	m.load()
	m.value = m.doc.AppendValue(m.value[:0], m.doc.Root())
	for n := 1; n <= c.copies; n++ {
		m.copy.Reset(m.value)
		if err := rename(m.copy, n); err != nil {
			return err
		}
		start := len(m.arena)
		m.arena = m.copy.AppendValue(m.arena, m.copy.Root())
		m.pending = append(m.pending, pending{raw: m.arena[start:len(m.arena):len(m.arena)], command: i + 1, shift: m.shift})
	}
	return nil
}

// rename changes a document to the nth copy.
func rename(doc *document.Document, n int) error {
	metadata := doc.Field(doc.Root(), "metadata")
	name := doc.Field(metadata, "name")
	renamed := string(doc.Text(name)) + "-copy-" + strconv.Itoa(n)
	if len(renamed) > maxName {
		return &Error{Message: fmt.Sprintf("the name of a copy, %.40s…, would be longer than %d bytes", renamed, maxName)}
	}
	doc.Set(name, msgp.AppendString(nil, renamed))
	labels := doc.Field(metadata, "labels")
	if labels == document.None {
		labels = doc.AddField(metadata, "labels")
	}
	if doc.Kind(labels) != document.Map {
		doc.Set(labels, msgp.AppendMapHeader(nil, 0))
	}
	label(doc, labels, n)
	for _, path := range labelPaths() {
		at := doc.Root()
		for _, key := range path {
			if at = doc.Field(at, key); at == document.None {
				break
			}
		}
		if at != document.None && doc.Kind(at) == document.Map {
			label(doc, at, n)
		}
	}
	return nil
}

func label(doc *document.Document, labels document.Node, n int) {
	value := doc.Field(labels, copyLabel)
	if value == document.None {
		value = doc.AddField(labels, copyLabel)
	}
	doc.Set(value, msgp.AppendString(nil, strconv.Itoa(n)))
}
