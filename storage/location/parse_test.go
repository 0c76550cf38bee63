package location_test

import (
	"errors"
	"strings"
	"testing"

	"simkube.io/simkube/storage/location"
)

type parseTest struct {
	text   string
	want   string // the scheme, the bucket, the key and the location as text, separated by spaces
	reason string // part of the error
}

func parseTests() []parseTest {
	return []parseTest{
		{text: "s3://traces/day.sktrace", want: "s3 traces day.sktrace s3://traces/day.sktrace"},
		{text: "S3://traces/a/b", want: "s3 traces a/b s3://traces/a/b"},
		{text: "s3://my.traces-1/a%20b", want: "s3 my.traces-1 a%20b s3://my.traces-1/a%20b"},
		{text: "gs://my_traces/a/b.c", want: "gs my_traces a/b.c gs://my_traces/a/b.c"},
		{text: "azure://traces/a", want: "azure traces a azure://traces/a"},
		{text: "az://traces/a", want: "azure traces a azure://traces/a"},
		{text: "azblob://traces/a", want: "azure traces a azure://traces/a"},
		{text: "azure://$root/a", want: "azure $root a azure://$root/a"},
		{text: "file:///data/a%20b", want: "file  /data/a b /data/a b"},
		{text: "file://localhost/data/a", want: "file  /data/a /data/a"},
		{text: "/data/a", want: "file  /data/a /data/a"},
		{text: "../a", want: "file  ../a ../a"},
		{text: "a:b", want: "file  a:b a:b"},
		{text: "10:00.sktrace", want: "file  10:00.sktrace 10:00.sktrace"},
		{text: "https://Example.com/a/b?sig=secret#part", want: "https example.com a/b https://example.com/a/b"},
		{text: "http://user:secret@localhost:8080/a", want: "http localhost:8080 a http://localhost:8080/a"},

		{text: "", reason: "it is empty"},
		{text: "s3://traces/a\nb", reason: "control character"},
		{text: "s3:/traces/a", reason: "two slashes: s3://traces/a"},
		{text: "gs:traces/a", reason: "gs://traces/a"},
		{text: "ftp://host/a", reason: `unknown scheme "ftp://"`},
		{text: "s3:///a", reason: "it has no bucket: write s3://bucket/key"},
		{text: "azure:///a", reason: "it has no container"},
		{text: "s3://traces", reason: "add the name of an object: s3://traces/key"},
		{text: "s3://traces/", reason: "it is a bucket"},
		{text: "s3://traces/a/", reason: "it is a folder"},
		{text: "s3://Traces/a", reason: "lower-case"},
		{text: "az://my_traces/a", reason: "3 to 63"},
		{text: "az://my--traces/a", reason: "not a valid name of a container"},
		{text: "s3://key:secret@traces/a", reason: "credentials are read from the environment"},
		{text: "s3://traces/a?region=eu", reason: "settings are read from the environment"},
		{text: "s3://traces/a/../b", reason: `".."`},
		{text: "s3://traces/../b", reason: `".."`},
		{text: "s3://traces/a//b", reason: "empty part"},
		{text: "s3://traces//b", reason: "empty part"},
		{text: "s3://traces/a../b", reason: `ends in ".."`},
		{text: `az://traces/a\b`, reason: "backslash"},
		{text: "s3://traces/" + strings.Repeat("a", 1025), reason: "1025 bytes"},
		{text: "file://host/a", reason: "three slashes"},
		{text: "file:///a/", reason: "it is a folder"},
		{text: "file:///a?b", reason: "%3F"},
		{text: "file:///%zz", reason: "invalid URL escape"},
		{text: "file:///a%00", reason: "control character"},
		{text: "data/", reason: "it is a folder"},
		{text: "https:///a", reason: "it has no host"},
		{text: "https://user:secret@ho st/a?secret", reason: "invalid URL"},
	}
}

func TestParse(t *testing.T) {
	for _, test := range parseTests() {
		t.Run(test.text, func(t *testing.T) {
			parsed, err := location.Parse(test.text)
			if test.reason == "" {
				got := strings.Join([]string{string(parsed.Scheme), parsed.Bucket, parsed.Key, parsed.String()}, " ")
				if err != nil || got != test.want {
					t.Errorf("got %q and the error %v, want %q", got, err, test.want)
				}
				return
			}
			var malformed *location.ParseError
			if !errors.As(err, &malformed) || !strings.Contains(malformed.Reason, test.reason) {
				t.Errorf("got the error %v, want one with %q", err, test.reason)
			}
			if err != nil && strings.Contains(err.Error(), "secret") {
				t.Errorf("the error shows a secret: %v", err)
			}
		})
	}
}

// FuzzParse checks that the text of a parsed location is canonical and is parsed to the same
// location, and that keys are unambiguous.
func FuzzParse(f *testing.F) {
	for _, test := range parseTests() {
		f.Add(test.text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		parsed, err := location.Parse(text)
		if err != nil {
			var malformed *location.ParseError
			if !errors.As(err, &malformed) || malformed.Reason == "" {
				t.Fatalf("got the error %#v", err)
			}
			return
		}
		if parsed.ReadOnly() {
			return // its text leaves out secrets
		}
		if parsed.Key == "" || !parsed.Local() && parsed.Bucket == "" {
			t.Fatalf("%q has no key or no bucket: %+v", text, parsed)
		}
		if !parsed.Local() {
			for part := range strings.SplitSeq(parsed.Key, "/") {
				if part == "" || part == "." || part == ".." {
					t.Fatalf("%q has the key %q", text, parsed.Key)
				}
			}
		}
		again, err := location.Parse(parsed.String())
		if parsed.Local() && (err != nil || again != parsed) {
			return // a path such as /s3://a of a file URL is not valid as a plain path
		}
		if err != nil || again != parsed {
			t.Fatalf("%q is %+v, but %q is %+v (%v)", text, parsed, parsed, again, err)
		}
	})
}
