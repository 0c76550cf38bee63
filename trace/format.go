package trace

import (
	"bytes"
	"slices"
	"strings"
	"unicode/utf8"
)

// Format is the format of a file.
type Format string

// The formats that DetectFormat distinguishes. Readers read FormatTrace, also within FormatGzip and
// FormatZstd.
const (
	FormatTrace Format = "trace"
	FormatGzip  Format = "gzip"
	FormatZstd  Format = "zstd"
	// FormatJSON is a trace as JSON, as skctl trace cat prints it.
	FormatJSON Format = "json"
	// FormatYAML is a trace as YAML, which skctl trace cat prints for people to read.
	FormatYAML Format = "yaml"
	// FormatManifests are Kubernetes objects as YAML or JSON, also a recording of KWOK.
	FormatManifests Format = "manifests"
	// FormatSchedulerSimulator is a recording of kube-scheduler-simulator.
	FormatSchedulerSimulator Format = "kube-scheduler-simulator"
	FormatTar                Format = "tar"
	FormatZip                Format = "zip"
	FormatXZ                 Format = "xz"
	FormatBzip2              Format = "bzip2"
	FormatLZ4                Format = "lz4"
	FormatParquet            Format = "parquet"
	FormatHTML               Format = "html"
	FormatXML                Format = "xml"
	// FormatLFSPointer is the file that Git stores instead of one that Git LFS manages.
	FormatLFSPointer Format = "git-lfs"
	FormatUTF16      Format = "utf-16"
	FormatOtherJSON  Format = "other-json"
	FormatText       Format = "text"
	FormatEmpty      Format = "empty"
	FormatUnknown    Format = "unknown"
)

// Description returns what a file of the format is, with an article.
func (f Format) Description() string {
	switch f {
	case FormatTrace:
		return "a trace"
	case FormatGzip, FormatZstd, FormatXZ, FormatBzip2, FormatLZ4:
		return "a file compressed with " + string(f)
	case FormatJSON, FormatYAML:
		return "a trace as " + strings.ToUpper(string(f))
	case FormatManifests:
		return "manifests of Kubernetes objects"
	case FormatSchedulerSimulator:
		return "a recording of kube-scheduler-simulator"
	case FormatTar, FormatZip:
		return "a " + string(f) + " archive"
	case FormatParquet:
		return "a Parquet table"
	case FormatHTML:
		return "an HTML page"
	case FormatXML:
		return "an XML document"
	case FormatLFSPointer:
		return "a pointer of Git LFS"
	case FormatUTF16:
		return "text in UTF-16"
	case FormatOtherJSON:
		return "JSON of another kind"
	case FormatText:
		return "text"
	case FormatEmpty:
		return "an empty file"
	}
	return "a file of an unknown format"
}

// FormatBytes is the number of bytes of a file that DetectFormat needs at most.
const FormatBytes = 64 << 10

// byteOrderMark is at the start of text written by some editors.
const byteOrderMark = "\ufeff"

// DetectFormat returns the format of a file that begins with some bytes.
func DetectFormat(head []byte) Format {
	head = head[:min(len(head), FormatBytes)]
	if len(head) == 0 {
		return FormatEmpty
	}
	if f := detectBinary(head); f != "" {
		return f
	}
	text := bytes.TrimSpace(bytes.TrimPrefix(head, []byte(byteOrderMark)))
	switch {
	case len(text) == 0:
		return FormatEmpty
	case !isText(text):
		return FormatUnknown
	case text[0] == '{', text[0] == '[':
		return detectJSON(text)
	}
	return detectText(text)
}

// detectBinary returns a format that is not text, or "".
func detectBinary(head []byte) Format {
	if c := head[0]; c >= 0x80 && c <= 0x9f || c >= mArray16 && c <= mMap32 {
		return FormatTrace
	}
	const tarMagicAt = 257
	if len(head) > tarMagicAt && bytes.HasPrefix(head[tarMagicAt:], []byte("ustar")) {
		return FormatTar
	}
	// A file of zstd may begin with frames to be skipped.
	if len(head) >= 4 && head[0]&0xf0 == 0x50 && bytes.Equal(head[1:4], []byte{0x2a, 0x4d, 0x18}) {
		return FormatZstd
	}
	for _, magic := range []struct {
		bytes  string
		format Format
	}{
		{"\x1f\x8b", FormatGzip},
		{"\x28\xb5\x2f\xfd", FormatZstd},
		{"PK\x03\x04", FormatZip},
		{"\xfd7zXZ\x00", FormatXZ},
		{"BZh", FormatBzip2},
		{"\x04\x22\x4d\x18", FormatLZ4},
		{"PAR1", FormatParquet},
		{"\xff\xfe", FormatUTF16},
		{"\xfe\xff", FormatUTF16},
	} {
		if bytes.HasPrefix(head, []byte(magic.bytes)) {
			return magic.format
		}
	}
	return ""
}

// detectJSON returns the format of JSON by the keys of the first object.
func detectJSON(text []byte) Format {
	keys := firstKeys(text)
	has := func(names ...string) bool {
		return slices.ContainsFunc(names, func(name string) bool { return slices.Contains(keys, name) })
	}
	switch {
	case has("apiVersion", "kind"):
		return FormatManifests
	case has("ts", "applied_objs", "deleted_objs", keyEvents, keyIndex, keyLifecycles, keyExtension), has(keyVersion) && has(keyConfig):
		return FormatJSON
	case has("resource") || has("event") && has("time"):
		return FormatSchedulerSimulator
	case has("metadata", "spec", "items"):
		return FormatManifests
	case has(keyVersion, keyConfig):
		return FormatJSON
	}
	return FormatOtherJSON
}

// firstKeys returns the keys of the first object in JSON text, which may be cut off. Brackets
// before the object are skipped.
func firstKeys(text []byte) []string {
	var keys []string
	depth := 0
	for i := 0; i < len(text); i++ {
		switch c := text[i]; c {
		case '[':
			if depth > 0 {
				depth++
			}
		case '{':
			depth++
		case '}', ']':
			if depth--; depth == 0 {
				return keys
			}
			depth = max(depth, 0)
		case '"':
			begin := i + 1
			for i++; i < len(text) && text[i] != '"'; i++ {
				if text[i] == '\\' {
					i++
				}
			}
			if i >= len(text) {
				return keys
			}
			if depth == 1 && bytes.HasPrefix(bytes.TrimLeft(text[i+1:], " \t\r\n"), []byte(":")) {
				keys = append(keys, string(text[begin:i]))
			}
		}
	}
	return keys
}

// isText reports whether bytes are UTF-8 without control characters. The last character may be cut
// off.
func isText(b []byte) bool {
	for len(b) > 0 {
		r, size := utf8.DecodeRune(b)
		switch {
		case r == utf8.RuneError && size == 1:
			return !utf8.FullRune(b)
		case r < ' ' && r != '\t' && r != '\n' && r != '\r' && r != '\f':
			return false
		}
		b = b[size:]
	}
	return true
}

func detectText(text []byte) Format {
	lower := bytes.ToLower(text[:min(len(text), 32)])
	switch {
	case bytes.HasPrefix(lower, []byte("<!doctype html")), bytes.HasPrefix(lower, []byte("<html")):
		return FormatHTML
	case lower[0] == '<':
		return FormatXML
	case bytes.HasPrefix(text, []byte("version https://git-lfs.")):
		return FormatLFSPointer
	}
	var isObject, isEvent bool
	for line := range bytes.Lines(text) {
		// The top level of a document, or an item of a list.
		line = bytes.TrimLeft(line, " -")
		isObject = isObject || bytes.HasPrefix(line, []byte("apiVersion:")) || bytes.HasPrefix(line, []byte("kind:"))
		isEvent = isEvent || bytes.HasPrefix(line, []byte("applied_objs:")) || bytes.HasPrefix(line, []byte("trackedObjects:"))
	}
	switch {
	case isEvent:
		return FormatYAML
	case isObject, allComments(text):
		// Text that begins with a longer comment is likely the output of helm.
		return FormatManifests
	case bytes.Contains(text, []byte("\n{")) && bytes.HasPrefix(text, []byte("---")):
		return FormatManifests
	}
	return FormatText
}

// allComments reports whether text has only comments and separators of documents.
func allComments(text []byte) bool {
	for line := range bytes.Lines(text) {
		line = bytes.TrimSpace(line)
		if len(line) > 0 && line[0] != '#' && !bytes.HasPrefix(line, []byte("---")) {
			return false
		}
	}
	return true
}
