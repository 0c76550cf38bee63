package trace

// Section is a range of a manifest's bytes. Both bounds are 0 if the part does not exist.
type Section struct{ Start, End int }

// Sections are the positions of the parts of a manifest that an Object provides.
type Sections struct {
	// Namespace and Name are the strings in metadata, without their msgpack header; Labels is the
	// value of metadata.labels, Spec that of spec.
	Namespace, Name, Labels, Spec Section
}

// Rewritten returns the object after an edit of its bytes that did not change its kind, name or
// namespace. It is meant for programs that rewrite manifests and know the positions of the parts.
// It checks nothing: raw must be valid for a Reader, the sections must be correct, and if the
// object was canonical, raw must be canonical, too. [ParseObject] determines all of that itself,
// but has to read raw once more. raw is retained and must not be modified afterwards.
func (o *Object) Rewritten(raw []byte, sections Sections) Object {
	at := func(s Section) span { return span{uint32(s.Start), uint32(s.End)} }
	return Object{
		raw: raw, gvk: o.gvk, canonical: o.canonical,
		namespace: at(sections.Namespace), name: at(sections.Name), labels: at(sections.Labels), spec: at(sections.Spec),
	}
}
