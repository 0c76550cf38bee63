package manifest

import (
	"encoding/json"
	"errors"
	"strings"
	"testing"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
)

func TestSplitFrame(t *testing.T) {
	for line, want := range map[string][2]string{
		`{"type":"ADDED","object":{"a":{"b":1}}}` + "\n":         {"ADDED", `{"a":{"b":1}}`},
		`{"type":"MODIFIED","object":{}}`:                        {"MODIFIED", `{}`},
		`{"type":"DELETED","object":{}}`:                         {"DELETED", `{}`},
		`{"type":"BOOKMARK","object":{}}` + "\r\n":               {"BOOKMARK", `{}`},
		`{"type":"ERROR","object":{"kind":"Status"}}`:            {"ERROR", `{"kind":"Status"}`},
		`{"object":{"type":"x"},"type":"ADDED"}`:                 {"ADDED", `{"type":"x"}`},
		` { "object" : { } , "type" : "ADDED" , "more" : [ ] } `: {"ADDED", `{ }`},
		`{"type":"ADDED" ,"object":{}}`:                          {"ADDED", `{}`},
		`{"type":"NEW","object":{}}`:                             {"NEW", `{}`},
		`{"type":"ADDEDX","object":{}}`:                          {"ADDEDX", `{}`},
	} {
		eventType, object, err := SplitFrame([]byte(line))
		if got := [2]string{eventType, string(object)}; err != nil || got != want {
			t.Errorf("%s: got %q, %v, want %q", line, got, err, want)
		}
	}
	for _, line := range []string{``, `{}`, `{"type":"ADDED"}`, `{"object":{}}`, `{"type":"ADDED","object":`, `{"type":1,"object":{}}`, `null`, `{"type":"ADDED"`} {
		var located *Error
		if _, _, err := SplitFrame([]byte(line)); !errors.As(err, &located) {
			t.Errorf("%s: got the error %v, want an *Error", line, err)
		}
	}
}

func FuzzSplitFrame(f *testing.F) {
	for _, line := range []string{`{"type":"ADDED","object":{"a":1}}`, `{"object":{},"type":"ADDED"}`, `{"type":"ADDED","object":{}} `, `{"type":"ERROR","object":`} {
		f.Add([]byte(line))
	}
	f.Fuzz(func(t *testing.T, line []byte) {
		eventType, object, err := SplitFrame(line)
		tree, duplicates, treeErr := decode(line)
		wantType, isText := tree["type"].(string)
		if treeErr != nil || duplicates || !isText || wantType == "" || tree["object"] == nil {
			return
		}
		if strings.HasPrefix(string(line), `{"type":"`) && len(tree) > 2 {
			return // an API server does not write that
		}
		switch {
		case err != nil:
			if _, ok := tree["object"].(map[string]any); ok && len(line) < maxDepth {
				t.Errorf("got the error %v", err)
			}
		case eventType != wantType || !json.Valid(object):
			t.Errorf("got %s, %s", eventType, object)
		}
	})
}

func TestParseBookmark(t *testing.T) {
	for data, want := range map[string]Bookmark{
		`{"kind":"Pod","apiVersion":"v1","metadata":{"resourceVersion":"12746","creationTimestamp":null},"spec":{"containers":null},"status":{}}`: {ResourceVersion: "12746"},
		`{"metadata":{"resourceVersion":"5","annotations":{"k8s.io/initial-events-end":"true"}}}`:                                                 {ResourceVersion: "5", InitialEventsEnd: true},
	} {
		if got, err := ParseBookmark([]byte(data)); err != nil || got != want {
			t.Errorf("%s: got %v, %v, want %v", data, got, err, want)
		}
	}
	for _, data := range []string{``, `{}`, `{"metadata":{"resourceVersion":5}}`} {
		if got, err := ParseBookmark([]byte(data)); err == nil {
			t.Errorf("%s: got %v, want an error", data, got)
		}
	}
}

func TestParseStatus(t *testing.T) {
	status, err := ParseStatus([]byte(`{"kind":"Status","apiVersion":"v1","metadata":{},"status":"Failure","message":"too old resource version: 1 (2)","reason":"Expired","code":410}`))
	if err != nil {
		t.Fatal(err)
	}
	if statusErr := (&apierrors.StatusError{ErrStatus: *status}); !apierrors.IsResourceExpired(statusErr) || status.Code != 410 {
		t.Errorf("got %v, want that the version is too old", statusErr)
	}
	for _, data := range []string{``, `{}`, `<html>`, `{"kind":"Pod","apiVersion":"v1"}`} {
		if got, err := ParseStatus([]byte(data)); err == nil {
			t.Errorf("%s: got %v, want an error", data, got)
		}
	}
}
