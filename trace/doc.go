// Package trace is the trace file format: what SimKube records of a cluster and replays.
//
// A trace holds the configuration of the tracer that made it ([Config]), the objects that were
// applied and deleted over time ([Event], [Object]), a hash of every object's last manifest
// ([Index]) and how long pods ran ([Lifecycles]). The bytes are described in docs/trace-format.md.
//
// # Reading
//
// [Open] and [NewReader] stream: they hold one event at a time, so that a file larger than memory
// can be walked. An object stays the bytes it was recorded as; its kind, name, namespace, spec bytes
// and hash are there without decoding it, and [Object.Unstructured] builds the tree for those who
// need one.
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
//	tail, err := f.Tail() // index and lifecycles stand after the events
//
// [ReadFile] and [Read] hold the whole trace in memory instead, as a [Trace].
//
// Everything is validated while it is read, also what nobody asks for: lengths, types, UTF-8, depth,
// duplicate keys, the bytes after the end. A malformed file gives a [*FormatError] with the byte and
// the path, and memory never grows beyond a small multiple of the bytes that were really there.
//
// # Writing
//
// [NewWriter] and [Create] stream; [Trace.Write] and [Trace.WriteFile] write a whole trace. What is
// written is canonical: the same content gives the same bytes.
//
// Nothing here is safe for concurrent use unless it says so; distinct values are independent.
package trace
