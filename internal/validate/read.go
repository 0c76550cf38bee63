package validate

import (
	"strconv"
	"strings"

	"github.com/tinylib/msgp/msgp"

	"simkube.io/simkube/internal/exclusion"
	"simkube.io/simkube/trace"
)

// factsReader extracts facts from the bytes of manifests. It does not decode them: almost all of a
// manifest is skipped.
type factsReader struct {
	// texts interns strings, because many objects have the same.
	texts   map[string]string
	demands map[string]*demand
	// path is the current path in the object.
	path []byte
	out  *facts
	// prefix and pieces are those of the current template.
	prefix string
	pieces []piece
	mounts mounts
	key    []byte

	harmful harmfulWalk
	// shared means that the cluster of the replay has other workloads.
	shared bool
}

func newFactsReader(shared bool) factsReader {
	return factsReader{shared: shared, texts: map[string]string{}, demands: map[string]*demand{}}
}

// noFacts is shared by the many objects that are not relevant to any rule.
var noFacts facts

// read returns the facts of an object whose pod templates are at these paths.
func (r *factsReader) read(object *trace.Object, paths []templatePath, isCRD bool) *facts {
	r.out = &facts{harmful: r.harmful.find(object)}
	spec := object.Spec()
	eachField(object.Raw(), func(key, value []byte) []byte {
		switch string(key) {
		case "spec":
			return value[len(spec):]
		case "status":
			r.out.hasStatus = !isEmpty(value)
		}
		return skip(value)
	})
	for _, path := range paths {
		r.path = r.path[:0]
		r.prefix = path.prefix
		start, segments := object.Raw(), path.segments
		if len(segments) > 0 && segments[0] == "spec" {
			if spec == nil {
				continue
			}
			r.push("spec")
			start, segments = spec, segments[1:]
		}
		r.find(start, segments)
	}
	if len(r.out.refs) > 0 {
		r.markOwnClaims(spec)
	}
	if len(r.out.templates) > 0 {
		r.out.copies = copies(object.GVK().GroupKind(), spec)
	}
	if r.shared && !mapped(object.GVK()) {
		r.out.namespaces = r.namespacesIn(spec)
	}
	if isCRD {
		r.out.crd = readDefinitions(spec)
		r.out.converts = exclusion.ConvertsByWebhook(object)
	}
	if !r.out.hasStatus && r.out.templates == nil && r.out.refs == nil && r.out.crd == nil && r.out.harmful == nil && r.out.namespaces == nil && !r.out.converts {
		return &noFacts
	}
	return r.out
}

func (r *factsReader) text(b []byte) string {
	if s, ok := r.texts[string(b)]; ok {
		return s
	}
	s := string(b)
	r.texts[s] = s
	return s
}

// push moves down to a field. It returns the argument for pop, which moves back up.
func (r *factsReader) push(field string) int {
	at := len(r.path)
	if at > 0 {
		r.path = append(r.path, '.')
	}
	r.path = append(r.path, field...)
	return at
}

func (r *factsReader) pushIndex(i int) int {
	at := len(r.path)
	r.path = append(r.path, '[')
	r.path = strconv.AppendInt(r.path, int64(i), 10)
	r.path = append(r.path, ']')
	return at
}

func (r *factsReader) pop(at int) { r.path = r.path[:at] }

// find reads the templates at a path.
func (r *factsReader) find(b []byte, segments []string) (rest []byte) {
	if len(segments) == 0 {
		return r.template(b)
	}
	segment, deeper := segments[0], segments[1:]
	if msgp.NextType(b) == msgp.ArrayType {
		return eachElement(b, func(i int, value []byte) []byte {
			if segment != "*" && segment != strconv.Itoa(i) {
				return skip(value)
			}
			defer r.pop(r.pushIndex(i))
			return r.find(value, deeper)
		})
	}
	return eachField(b, func(key, value []byte) []byte {
		if segment != string(key) {
			return skip(value)
		}
		defer r.pop(r.push(pathPart(segment)))
		return r.find(value, deeper)
	})
}

// template reads a pod template. Only its spec is relevant.
func (r *factsReader) template(b []byte) (rest []byte) {
	return eachField(b, func(key, value []byte) []byte {
		if string(key) != "spec" {
			return skip(value)
		}
		defer r.pop(r.push("spec"))
		return r.podSpec(value)
	})
}

// templatePath is a parsed path of a tracer's configuration.
type templatePath struct {
	segments []string
	// prefix is the path of the pods' spec in SKEL, empty if it cannot be expressed.
	prefix string
}

func newTemplatePath(pointer string) templatePath {
	var p templatePath
	if pointer != "" {
		p.segments = strings.Split(strings.TrimPrefix(pointer, "/"), "/")
	}
	var prefix strings.Builder
	for i, segment := range p.segments {
		if segment == "*" {
			prefix.WriteString("[*]")
			continue
		}
		segment = strings.NewReplacer("~1", "/", "~0", "~").Replace(segment)
		p.segments[i] = segment
		if !isWritable(segment) {
			return p
		}
		if prefix.Len() > 0 {
			prefix.WriteByte('.')
		}
		prefix.WriteString(pathPart(segment))
	}
	if prefix.Len() > 0 {
		prefix.WriteByte('.')
	}
	p.prefix = prefix.String() + "spec"
	return p
}

// isWritable reports whether a part of a path can be expressed in SKEL.
func isWritable(part string) bool {
	for i := range len(part) {
		if c := part[i]; !isBare(c) && c != '.' && c != '/' {
			return false
		}
	}
	return part != ""
}

func isBare(c byte) bool {
	return c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9' || c == '_' || c == '-'
}

// pathPart returns a part of a path, quoted if necessary.
func pathPart(part string) string {
	for i := range len(part) {
		if !isBare(part[i]) {
			return `"` + part + `"`
		}
	}
	return part
}

// markOwnClaims marks the claims that a StatefulSet creates itself: a volume of the template is
// replaced by the claim template with the same name.
func (r *factsReader) markOwnClaims(spec []byte) {
	own := map[string]bool{}
	eachField(spec, func(key, value []byte) []byte {
		if string(key) != "volumeClaimTemplates" {
			return skip(value)
		}
		return eachElement(value, func(_ int, claim []byte) []byte {
			return eachField(claim, func(key, value []byte) []byte {
				if string(key) != "metadata" {
					return skip(value)
				}
				return eachField(value, func(key, value []byte) []byte {
					if string(key) != "name" {
						return skip(value)
					}
					var name []byte
					rest := readString(value, &name)
					own[string(name)] = true
					return rest
				})
			})
		})
	})
	for i := range r.out.refs {
		if ref := &r.out.refs[i]; ref.spot.form == inVolume && own[ref.volume] {
			ref.optional = true
		}
	}
}

// readDefinitions returns the kinds that a CustomResourceDefinition serves.
func readDefinitions(spec []byte) []servedKind {
	var group, kind []byte
	var versions [][]byte
	eachField(spec, func(key, value []byte) []byte {
		switch string(key) {
		case "group":
			return readString(value, &group)
		case "names":
			return eachField(value, func(key, value []byte) []byte {
				if string(key) == "kind" {
					return readString(value, &kind)
				}
				return skip(value)
			})
		case "versions":
			return eachElement(value, func(_ int, version []byte) []byte {
				var name []byte
				served := false
				rest := eachField(version, func(key, value []byte) []byte {
					switch string(key) {
					case "name":
						return readString(value, &name)
					case "served":
						return readTrue(value, &served)
					}
					return skip(value)
				})
				if served {
					versions = append(versions, name)
				}
				return rest
			})
		}
		return skip(value)
	})
	var found []servedKind
	for _, version := range versions {
		found = append(found, servedKind{string(group), string(version), string(kind)})
	}
	return found
}
