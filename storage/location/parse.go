package location

import (
	"fmt"
	"net/url"
	"path"
	"regexp"
	"strings"
)

// ParseError is returned for a text that is not the location of an object. Its message is meant for
// the author of the URL, and does not contain the URL's password.
type ParseError struct {
	// URL is the text, without user, password and query.
	URL string
	// Reason says what is wrong, and what is accepted.
	Reason string
}

func (e *ParseError) Error() string {
	return fmt.Sprintf("%q does not name an object: %s", e.URL, e.Reason)
}

// Parse parses the location that a user has written: s3://bucket/key, gs://bucket/key,
// azure://container/key (also az:// and azblob://), file:///absolute/path, http(s)://host/path, or
// a path. Keys are taken literally, without percent-decoding, as in the command-line tools of the
// clouds. A key must not have parts that are empty, are "." or end in "..", because some servers
// would use a different key. All errors are of type [*ParseError].
func Parse(text string) (Location, error) {
	location, reason := parse(text)
	if reason != "" {
		return Location{}, &ParseError{URL: redact(text), Reason: reason}
	}
	return location, nil
}

func parse(text string) (location Location, reason string) {
	if text == "" {
		return Location{}, "it is empty; must be a path or a URL such as s3://bucket/key"
	}
	if strings.IndexFunc(text, isControl) >= 0 {
		return Location{}, "it contains a control character"
	}
	scheme, rest, found := strings.Cut(text, "://")
	if !found || !schemePattern().MatchString(scheme) {
		return parsePath(text)
	}
	switch strings.ToLower(scheme) {
	case "s3":
		return parseBucket(SchemeS3, rest)
	case "gs":
		return parseBucket(SchemeGoogle, rest)
	case "azure", "az", "azblob":
		return parseBucket(SchemeAzure, rest)
	case "file":
		return parseFile(text)
	case "http", "https":
		return parseHTTP(text)
	default:
		return Location{}, fmt.Sprintf("unknown scheme %q: must be s3://, gs://, azure://, file://, http:// or https://", scheme+"://")
	}
}

// parsePath parses a text without a scheme as a path. It returns a reason if a slash seems to be
// missing.
func parsePath(text string) (Location, string) {
	scheme, rest, found := strings.Cut(text, ":")
	if found {
		switch name := strings.ToLower(scheme); name {
		case "s3", "gs", "azure", "az", "azblob", "file", "http", "https":
			return Location{}, fmt.Sprintf("%q must be followed by two slashes: %s://%s", scheme+":", name, strings.TrimLeft(rest, "/"))
		}
	}
	if strings.HasSuffix(text, "/") {
		return Location{}, "it is a folder; add the name of a file"
	}
	return Location{Scheme: SchemeFile, Key: text}, ""
}

func parseFile(text string) (Location, string) {
	u, err := url.Parse(text)
	switch {
	case err != nil:
		return Location{}, "invalid URL: " + parseReason(err)
	case u.User != nil || u.Host != "" && u.Host != "localhost":
		return Location{}, "a file URL must not have a host: write file:///absolute/path, with three slashes"
	case u.RawQuery != "" || u.ForceQuery || u.Fragment != "":
		return Location{}, "a file URL must not have a query or a fragment; write ? as %3F and # as %23"
	case strings.IndexFunc(u.Path, isControl) >= 0:
		return Location{}, "it contains a control character"
	case u.Path == "" || strings.HasSuffix(u.Path, "/"):
		return Location{}, "it is a folder; add the name of a file"
	}
	return Location{Scheme: SchemeFile, Key: u.Path}, ""
}

func parseHTTP(text string) (Location, string) {
	u, err := url.Parse(text)
	switch {
	case err != nil:
		return Location{}, "invalid URL: " + parseReason(err)
	case u.Hostname() == "":
		return Location{}, "it has no host"
	}
	u.Scheme = strings.ToLower(u.Scheme)
	u.Host = strings.ToLower(u.Host)
	u.Fragment, u.RawFragment = "", ""
	return Location{
		Scheme:  Scheme(u.Scheme),
		Bucket:  u.Host,
		Key:     strings.TrimPrefix(u.Path, "/"),
		address: u.String(),
	}, ""
}

func parseBucket(scheme Scheme, rest string) (Location, string) {
	bucket, key, _ := strings.Cut(rest, "/")
	what, pattern, rule := "bucket", bucketPattern(), "3 to 222 lower-case letters, digits, '.', '-' and '_'"
	if scheme == SchemeAzure {
		what, pattern, rule = "container", containerPattern(), "3 to 63 lower-case letters, digits and '-'"
	}
	switch {
	case strings.ContainsAny(rest, "?#"):
		return Location{}, "it has a query or a fragment; settings are read from the environment, not from the URL"
	case strings.Contains(bucket, "@"):
		return Location{}, "credentials are read from the environment, not from the URL"
	case bucket == "":
		return Location{}, fmt.Sprintf("it has no %s: write %s://%s/key", what, scheme, what)
	case !pattern.MatchString(bucket):
		return Location{}, fmt.Sprintf("%q is not a valid name of a %s: must be %s", bucket, what, rule)
	case key == "":
		return Location{}, fmt.Sprintf("it is a %s; add the name of an object: %s://%s/key", what, scheme, bucket)
	case strings.HasSuffix(key, "/"):
		return Location{}, "it is a folder; add the name of an object"
	case len(key) > 1024:
		return Location{}, fmt.Sprintf("its key has %d bytes; at most 1024 are allowed", len(key))
	case path.Clean("/"+key) != "/"+key:
		return Location{}, `its key has an empty part, "." or ".."`
	case strings.Contains(key, "../"):
		return Location{}, `its key has a part that ends in ".."`
	case scheme == SchemeAzure && strings.Contains(key, `\`):
		return Location{}, "Azure treats a backslash in a key as a slash"
	}
	return Location{Scheme: scheme, Bucket: bucket, Key: key}, ""
}

// parseReason returns the error of net/url without the URL.
func parseReason(err error) string {
	if e, ok := err.(*url.Error); ok { //nolint:errorlint // it is what url.Parse gives, never wrapped
		return e.Err.Error()
	}
	return err.Error()
}

// redact removes everything from a text that may be a password: the authority up to an @, and the
// query.
func redact(text string) string {
	text, _, _ = strings.Cut(text, "?")
	scheme, rest, found := strings.Cut(text, "://")
	if !found {
		return text
	}
	authority, tail, slash := strings.Cut(rest, "/")
	if i := strings.LastIndexByte(rest, '@'); i >= 0 && !slash {
		return scheme + "://" + rest[i+1:]
	}
	if i := strings.LastIndexByte(authority, '@'); i >= 0 {
		authority = authority[i+1:]
	}
	if slash {
		tail = "/" + tail
	}
	return scheme + "://" + authority + tail
}

func isControl(r rune) bool { return r < ' ' || r == 0x7f }

func schemePattern() *regexp.Regexp { return regexp.MustCompile(`^[A-Za-z][A-Za-z0-9+.-]*$`) }

func bucketPattern() *regexp.Regexp {
	return regexp.MustCompile(`^[a-z0-9][a-z0-9._-]{1,220}[a-z0-9]$`)
}

func containerPattern() *regexp.Regexp {
	return regexp.MustCompile(`^(\$root|\$web|\$logs|[a-z0-9](-?[a-z0-9]){2,62})$`)
}
