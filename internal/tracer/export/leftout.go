package export

import (
	"simkube.io/simkube/internal/tracer/log"
	"simkube.io/simkube/trace"
)

// leaveOut notes an object that is not in the trace if that is because of its namespace. Owned
// objects are not in traces at all.
func (e *exporter) leaveOut(r *log.Record) error {
	if r.Op != log.Applied || len(r.Ancestors) > 0 || !e.decider.filters.leavesOut(r.Key) {
		return nil
	}
	return e.leftOut.put(indexKey(r.Key.GVK, r.Key.Name), value{})
}

// countLeftOut counts the objects that were left out.
func (e *exporter) countLeftOut() error {
	if err := e.leftOut.seal(); err != nil {
		return err
	}
	var kinds kindReader
	for entry, err := range e.leftOut.all() {
		if err != nil {
			return err
		}
		gvk, name, err := kinds.split(entry.key)
		if err != nil {
			return err
		}
		if e.summary.LeftOut == nil {
			e.summary.LeftOut = map[string]int64{}
		}
		e.summary.LeftOut[namespaceOf(log.Key{GVK: gvk, Name: name})]++
	}
	return nil
}

// namespaceOf returns the namespace of an object, or the name of a Namespace.
func namespaceOf(key log.Key) string {
	namespace, name := trace.SplitNamespacedName(key.Name)
	if namespace == "" && key.GVK.Group == "" && key.GVK.Kind == "Namespace" {
		return name
	}
	return namespace
}
