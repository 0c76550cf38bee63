package server

import (
	"errors"
	"net/url"
	"path"
	"strings"
	"testing"
)

func TestTarget(t *testing.T) {
	allowed := []string{"s3://traces/prod", "azblob://c/a/b/", "gs://whole"}
	for name, tc := range map[string]struct {
		path string
		url  string // where it is written
		name string // what the client may call it
		want string // in the error
	}{
		"plain path":              {path: "output.sktrace", name: "output.sktrace"},
		"absolute path":           {path: "/tmp/a b/x.sktrace", name: "x.sktrace"},
		"file URL":                {path: "file:///tmp/x.sktrace", name: "x.sktrace"},
		"path of another system":  {path: `C:\traces\x.sktrace`, name: "x.sktrace"},
		"folder":                  {path: "file:///tmp/", name: "output.sktrace"},
		"name that breaks a line": {path: "/tmp/a\r\nb\"c", name: "a__b_c"},
		"dots":                    {path: "/tmp/..", name: "output.sktrace"},

		"below the prefix":       {path: "s3://traces/prod/x.sktrace", url: "s3://traces/prod/x.sktrace"},
		"deep below":             {path: "s3://traces/prod/a/b c/ü.sktrace", url: "s3://traces/prod/a/b c/ü.sktrace"},
		"another spelling":       {path: "az://c/a/b/x", url: "azure://c/a/b/x"},
		"a whole bucket":         {path: "gs://whole/x", url: "gs://whole/x"},
		"the prefix itself":      {path: "s3://traces/prod", want: "is not allowed to write there"},
		"a prefix of the name":   {path: "s3://traces/prod2/x", want: "is not allowed to write there"},
		"another bucket":         {path: "s3://traces2/prod/x", want: "is not allowed to write there"},
		"another provider":       {path: "gs://traces/prod/x", want: "is not allowed to write there"},
		"above":                  {path: "s3://traces/x", want: "is not allowed to write there"},
		"out of it":              {path: "s3://traces/prod/../x", want: `a segment ".."`},
		"out of it, escaped":     {path: "s3://traces/prod/%2e%2e/x", want: `not allowed here: '%'`},
		"out of it, other slash": {path: `s3://traces/prod\..\x`, want: `not allowed here: '\\'`},
		"a query":                {path: "s3://traces/prod/x?endpoint=evil", want: `not allowed here: '?'`},
		"a fragment":             {path: "s3://traces/prod/x#y", want: `not allowed here: '#'`},
		"two slashes":            {path: "s3://traces//prod/x", want: "two slashes"},
		"this folder":            {path: "s3://traces/./prod/x", want: `a segment "."`},
		"a user":                 {path: "s3://me@traces/prod/x", want: "not the name of a bucket"},
		"a port":                 {path: "s3://traces:80/prod/x", want: "not the name of a bucket"},
		"a line break":           {path: "s3://traces/prod/x\ny", want: `not allowed here: '\n'`},
		"a sign nobody sees":     {path: "s3://traces/prod/x\u200b", want: `not allowed here: '\u200b'`},
		"not UTF-8":              {path: "s3://traces/prod/\xff", want: "not UTF-8"},
		"no bucket":              {path: "s3:///prod/x", want: "name of the bucket is missing"},
		"no object":              {path: "gs://whole", want: "name of the object is missing, as in gs://whole/trace.sktrace"},
		"a folder in a bucket":   {path: "gs://whole/x/", want: "name of the object is missing"},
		"large letters":          {path: "S3://traces/prod/x", want: `unknown scheme "S3"`},
		"web":                    {path: "https://example.com/x", want: "cannot write to https URLs"},
		"unknown":                {path: "ftp://example.com/x", want: `unknown scheme "ftp"`},
	} {
		t.Run(name, func(t *testing.T) {
			got, err := target(tc.path, destinations(t, allowed...))
			if tc.want != "" {
				if err == nil || !strings.Contains(err.Error(), tc.want) {
					t.Errorf("target(%q) = %+v, %v, want an error that says %q", tc.path, got, err, tc.want)
				}
				return
			}
			if want := (exportTarget{url: tc.url, name: tc.name}); err != nil || got != want {
				t.Errorf("target(%q) = %+v, %v, want %+v", tc.path, got, err, want)
			}
		})
	}
}

func TestTarget_NothingAllowed(t *testing.T) {
	_, err := target("s3://b/x", nil)
	var denied *notAllowedError
	want := "export to s3://b/x: this tracer is not allowed to write to any bucket; destinations are allowed with the tracer's flag " +
		"--allow-destination, as in --allow-destination s3://bucket/prefix"
	if !errors.As(err, &denied) || err.Error() != want {
		t.Errorf("error is %q, want %q", err, want)
	}
}

func TestParseDestination(t *testing.T) {
	for in, want := range map[string]string{
		"s3://b":       "s3://b",
		"s3://b/":      "s3://b",
		"az://c/p/q/":  "azure://c/p/q",
		"":             `invalid destination "": there is no scheme (must be such as ` + AcceptedDestinations + ")",
		"file:///tmp":  `invalid destination "file:///tmp": the scheme "file" is not one of a bucket`,
		"s3://*":       `invalid destination "s3://*": "*" is not the name of a bucket`,
		"s3://b/*":     `invalid destination "s3://b/*": the path has a character that is not allowed here: '*'`,
		"s3://b/a//b":  `invalid destination "s3://b/a//b": the path has two slashes in a row`,
		"s3://b/../b2": `invalid destination "s3://b/../b2": the path has a segment ".."`,
	} {
		got, err := ParseDestination(in)
		text := got.String()
		if err != nil {
			text = err.Error()
		}
		if text != want && (err == nil || !strings.HasPrefix(text, want)) {
			t.Errorf("ParseDestination(%q) = %q, want %q", in, text, want)
		}
	}
}

// FuzzTarget checks that an accepted URL is below an allowed destination for other parsers, too.
func FuzzTarget(f *testing.F) {
	for _, s := range []string{
		"s3://traces/prod/x", "s3://traces/prod/../x", "s3://traces/prod/%2e%2e/x", "s3://traces/prod2/x", "azblob://c/a/b/x",
		"az://c/a/b/../../x", "file:///x", "x", "s3://traces/prod//x", "s3://traces:1/prod/x", "s3://traces\\@evil/prod/x",
	} {
		f.Add(s)
	}
	allowed := []Destination{{"s3", "traces", []string{"prod"}}, {"azure", "c", []string{"a", "b"}}}
	f.Fuzz(func(t *testing.T, s string) {
		got, err := target(s, allowed)
		if err != nil {
			return
		}
		if got.url == "" {
			if strings.ContainsAny(got.name, "/\\\r\n\"\x00") || got.name == "" || strings.Trim(got.name, ".") == "" {
				t.Fatalf("target(%q) gives the name %q", s, got.name)
			}
			return
		}
		u, err := url.Parse(got.url)
		if err != nil || u.User != nil || u.RawQuery != "" || u.Fragment != "" || u.Opaque != "" {
			t.Fatalf("target(%q) = %q, which reads as %+v, %v", s, got.url, u, err)
		}
		clean := u.Scheme + "://" + u.Host + path.Clean(u.Path)
		if !strings.HasPrefix(clean, "s3://traces/prod/") && !strings.HasPrefix(clean, "azure://c/a/b/") || clean != got.url {
			t.Fatalf("target(%q) = %q, which is %q", s, got.url, clean)
		}
	})
}

func destinations(t *testing.T, urls ...string) []Destination {
	t.Helper()
	var parsed []Destination
	for _, u := range urls {
		d, err := ParseDestination(u)
		if err != nil {
			t.Fatal(err)
		}
		parsed = append(parsed, d)
	}
	return parsed
}
