// Package trace implements the trace file format: what SimKube records of a cluster and replays.
//
// A trace holds the configuration of the tracer that made it ([Config]), the objects that were
// applied and deleted over time ([Event], [Object]), a hash of every object's last manifest
// ([Index]) and how long pods ran ([Lifecycles]). The encoding is described in
// docs/trace-format.md.
//
// # Reading
//
// [Open] and [NewReader] stream: they hold one event at a time, so a file may be larger than
// memory. An object keeps the bytes that were recorded. Its kind, name, namespace, spec bytes and
// hash are available without decoding it; [Object.Unstructured] decodes it to a tree.
//
//	f, err := trace.Open("prod.sktrace")
//	if err != nil { ... }
//	defer f.Close()
//	for event, err := range f.Events() {
//		if err != nil { ... }
//		for _, obj := range event.Applied {
//			fmt.Println(event.Time, obj.GVK(), obj.NamespacedName())
//		}
//	}
//	tail, err := f.Tail() // index and lifecycles follow the events
//
// [ReadFile] and [Read] read the whole trace into memory, as a [Trace].
//
// Everything is validated while it is read, including parts that are not used: lengths, types,
// UTF-8, depth, duplicate keys, the bytes after the end. A malformed file results in a
// [*FormatError] with the byte offset and the path. Memory never exceeds a small multiple of the
// bytes that were read.
//
// # Writing
//
// [NewWriter] and [Create] stream; [Trace.Write] and [Trace.WriteFile] write a whole trace. The
// output is canonical: the same content results in the same bytes.
//
// Values of this package are not safe for concurrent use unless documented otherwise. Distinct
// values are independent.
package trace
