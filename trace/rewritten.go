package trace

// Section is a part of a manifest's bytes, from Start up to End; both are 0 where there is no such part.
type Section struct{ Start, End int }

// Sections are the parts of a manifest's bytes that an Object has at hand.
type Sections struct {
	// Namespace and Name are the texts in metadata, without what stands in front of a string; Labels is the value of metadata.labels, Spec that of spec.
	Namespace, Name, Labels, Spec Section
}

// Rewritten gives the object after an edit of its bytes that left what it is: its kind, and its name and namespace. It is for programs that make manifests of
// manifests and know where they put what. Nothing is checked: raw has to be what a Reader would accept, the sections have to be right, and where the object was
// canonical, raw has to be so, too. [ParseObject] finds all of that out by itself, at the price of reading raw once more. raw is kept and must not change any more.
func (o *Object) Rewritten(raw []byte, sections Sections) Object {
	at := func(s Section) span { return span{uint32(s.Start), uint32(s.End)} }
	return Object{
		raw: raw, gvk: o.gvk, canonical: o.canonical,
		namespace: at(sections.Namespace), name: at(sections.Name), labels: at(sections.Labels), spec: at(sections.Spec),
	}
}
