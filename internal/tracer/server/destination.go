package server

import (
	"fmt"
	"strings"
	"unicode"
	"unicode/utf8"
)

// AllowFlag is the tracer's flag that allows destinations, which error messages name.
const AllowFlag = "--allow-destination"

// AcceptedDestinations shows what ParseDestination takes.
const AcceptedDestinations = "s3://bucket/prefix, gs://bucket/prefix, azure://container/prefix"

// Destination is a place in a bucket that exports may be written to: the bucket, or what is below a prefix of its keys.
type Destination struct {
	// Scheme is s3, gs or azure.
	Scheme string
	Bucket string
	// Prefix are the first segments of the keys. Empty: any.
	Prefix []string
}

// bucketSchemes are the schemes of buckets, with the one name for those that have several.
func bucketSchemes() map[string]string {
	return map[string]string{"s3": "s3", "gs": "gs", "azure": "azure", "az": "azure", "azblob": "azure"}
}

// ParseDestination reads a destination as it is written on the command line: a scheme, a bucket and, perhaps, a prefix.
func ParseDestination(s string) (Destination, error) {
	d, err := parseBucketURL(s)
	if err != nil {
		return Destination{}, fmt.Errorf("destination %q: %w (accepted are, for instance, %s)", s, err, AcceptedDestinations)
	}
	return d, nil
}

// String gives the destination as a URL.
func (d Destination) String() string {
	return strings.Join(append([]string{d.Scheme + "://" + d.Bucket}, d.Prefix...), "/")
}

// holds says whether a URL, in the one spelling that String gives, lies in the destination. The prefix itself does not.
func (d Destination) holds(key Destination) bool {
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

// exportTarget is where an export goes.
type exportTarget struct {
	// url is a key in a bucket. Empty: to the client.
	url string
	// name is how the client may call the file.
	name string
}

// notAllowedError says that a destination is not on the allow list.
type notAllowedError struct{ path, why string }

func (e *notAllowedError) Error() string {
	return fmt.Sprintf("export to %s: %s; destinations are allowed with the tracer's flag %s, as in %s s3://bucket/prefix",
		e.path, e.why, AllowFlag, AllowFlag)
}

// target says where an export path leads: to the client, or to a bucket if that is allowed. Otherwise the error is a
// *notAllowedError, or says what is wrong with the path.
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
		return exportTarget{}, fmt.Errorf("%s: nothing can be written to %s URLs; name a bucket (%s) or a file", path, scheme, AcceptedDestinations)
	case !isBucket:
		return exportTarget{}, fmt.Errorf("%q: the scheme %q is not known; accepted are s3, gs, azure, az, azblob, file, and paths without one", path, scheme)
	}
	key, err := parseBucketURL(path)
	if err != nil {
		return exportTarget{}, fmt.Errorf("%q: %w", path, err)
	}
	if len(key.Prefix) == 0 || strings.HasSuffix(path, "/") {
		return exportTarget{}, fmt.Errorf("%s: the name of the object is missing, as in %s/trace.sktrace", path, strings.TrimSuffix(path, "/"))
	}
	if len(allowed) == 0 {
		return exportTarget{}, &notAllowedError{path, "this tracer may not write to any bucket"}
	}
	for _, d := range allowed {
		if d.holds(key) {
			return exportTarget{url: key.String()}, nil
		}
	}
	return exportTarget{}, &notAllowedError{path, "this tracer may not write there"}
}

// parseBucketURL reads scheme://bucket/some/segments. It accepts no spelling that anybody could read in another way:
// nothing that is escaped, relative, empty or invisible.
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
			return fmt.Errorf("the path has a character that is not accepted here: %q", r)
		}
	}
	return nil
}

// defaultFileName is what a trace is called that has no better name.
const defaultFileName = "output.sktrace"

// fileName returns the last segment of a path, with underscores for what some systems do not want in the name of a file.
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
