package server

import (
	"fmt"
	"strings"
	"unicode"
	"unicode/utf8"
)

// AllowFlag is the tracer's flag that allows destinations, for error messages.
const AllowFlag = "--allow-destination"

// AcceptedDestinations are examples of destinations, for help and error messages.
const AcceptedDestinations = "s3://bucket/prefix, gs://bucket/prefix, azure://container/prefix"

// Destination is where exports may be written to: a bucket, or a prefix of the keys in it.
type Destination struct {
	// Scheme is s3, gs or azure.
	Scheme string
	Bucket string
	// Prefix are the first segments of the keys. Empty means any key.
	Prefix []string
}

// bucketSchemes maps the schemes of buckets to their canonical names.
func bucketSchemes() map[string]string {
	return map[string]string{"s3": "s3", "gs": "gs", "azure": "azure", "az": "azure", "azblob": "azure"}
}

// ParseDestination parses a destination in the form of the command line: a scheme, a bucket and an
// optional prefix.
func ParseDestination(s string) (Destination, error) {
	d, err := parseBucketURL(s)
	if err != nil {
		return Destination{}, fmt.Errorf("invalid destination %q: %w (must be such as %s)", s, err, AcceptedDestinations)
	}
	return d, nil
}

// String returns the destination as a URL.
func (d Destination) String() string {
	return strings.Join(append([]string{d.Scheme + "://" + d.Bucket}, d.Prefix...), "/")
}

// contains reports whether a key is below the destination. The prefix itself is not.
func (d Destination) contains(key Destination) bool {
	if d.Scheme != key.Scheme || d.Bucket != key.Bucket || len(d.Prefix) >= len(key.Prefix) {
		return false
	}
	for i, segment := range d.Prefix {
		if key.Prefix[i] != segment {
			return false
		}
	}
	return true
}

// exportTarget is where an export is written to.
type exportTarget struct {
	// url is a key in a bucket. Empty means that the trace is sent to the client.
	url string
	// name is the file name that is suggested to the client.
	name string
}

// notAllowedError is returned if a destination is not on the allow list.
type notAllowedError struct{ path, why string }

func (e *notAllowedError) Error() string {
	return fmt.Sprintf("export to %s: %s; destinations are allowed with the tracer's flag %s, as in %s s3://bucket/prefix",
		e.path, e.why, AllowFlag, AllowFlag)
}

// target returns where an export path leads to: the client, or a bucket if that is allowed. The
// error is a *notAllowedError, or is about an invalid path.
func target(path string, allowed []Destination) (exportTarget, error) {
	scheme, rest, isURL := strings.Cut(path, "://")
	if !isURL {
		return exportTarget{name: fileName(path)}, nil
	}
	_, isBucket := bucketSchemes()[scheme]
	switch {
	case scheme == "file":
		return exportTarget{name: fileName(rest)}, nil
	case scheme == "http" || scheme == "https":
		return exportTarget{}, fmt.Errorf("%s: cannot write to %s URLs; must be in a bucket (%s) or a file", path, scheme, AcceptedDestinations)
	case !isBucket:
		return exportTarget{}, fmt.Errorf("%q: unknown scheme %q; must be s3, gs, azure, az, azblob or file, or a path without a scheme", path, scheme)
	}
	key, err := parseBucketURL(path)
	if err != nil {
		return exportTarget{}, fmt.Errorf("%q: %w", path, err)
	}
	if len(key.Prefix) == 0 || strings.HasSuffix(path, "/") {
		return exportTarget{}, fmt.Errorf("%s: the name of the object is missing, as in %s/trace.sktrace", path, strings.TrimSuffix(path, "/"))
	}
	if len(allowed) == 0 {
		return exportTarget{}, &notAllowedError{path, "this tracer is not allowed to write to any bucket"}
	}
	for _, d := range allowed {
		if d.contains(key) {
			return exportTarget{url: key.String()}, nil
		}
	}
	return exportTarget{}, &notAllowedError{path, "this tracer is not allowed to write there"}
}

// parseBucketURL parses scheme://bucket/some/segments. It rejects everything that another parser
// might interpret differently: escapes, and segments that are relative, empty or invisible.
func parseBucketURL(s string) (Destination, error) {
	scheme, rest, ok := strings.Cut(s, "://")
	if !ok {
		return Destination{}, fmt.Errorf("there is no scheme")
	}
	name, ok := bucketSchemes()[scheme]
	if !ok {
		return Destination{}, fmt.Errorf("the scheme %q is not one of a bucket", scheme)
	}
	bucket, key, _ := strings.Cut(rest, "/")
	if err := checkBucket(bucket); err != nil {
		return Destination{}, err
	}
	d := Destination{Scheme: name, Bucket: bucket}
	key = strings.TrimSuffix(key, "/")
	if key == "" {
		return d, nil
	}
	for segment := range strings.SplitSeq(key, "/") {
		if err := checkSegment(segment); err != nil {
			return Destination{}, err
		}
		d.Prefix = append(d.Prefix, segment)
	}
	return d, nil
}

func checkBucket(bucket string) error {
	if bucket == "" {
		return fmt.Errorf("the name of the bucket is missing")
	}
	for i, c := range []byte(bucket) {
		letter := c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9'
		if !letter && (i == 0 || c != '.' && c != '-' && c != '_') {
			return fmt.Errorf("%q is not the name of a bucket", bucket)
		}
	}
	return nil
}

func checkSegment(segment string) error {
	switch {
	case segment == "":
		return fmt.Errorf("the path has two slashes in a row")
	case segment == "." || segment == "..":
		return fmt.Errorf("the path has a segment %q", segment)
	case !utf8.ValidString(segment):
		return fmt.Errorf("the path is not UTF-8")
	}
	for _, r := range segment {
		if strings.ContainsRune(`%?#\*`, r) || !unicode.IsPrint(r) {
			return fmt.Errorf("the path has a character that is not allowed here: %q", r)
		}
	}
	return nil
}

// defaultFileName is the name of a trace without a valid name.
const defaultFileName = "output.sktrace"

// fileName returns the last segment of a path, with underscores in place of characters that some
// systems do not allow in file names.
func fileName(path string) string {
	name := strings.Map(func(r rune) rune {
		if r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' || strings.ContainsRune("._-+", r) {
			return r
		}
		return '_'
	}, path[strings.LastIndexAny(path, `/\`)+1:])
	if strings.Trim(name, "._") == "" {
		return defaultFileName
	}
	return name
}
