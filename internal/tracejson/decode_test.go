package tracejson

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"testing/iotest"

	"github.com/google/go-cmp/cmp"

	"simkube.io/simkube/trace"
)

const (
	podA = `{"apiVersion":"v1","kind":"Pod","metadata":{"name":"a","namespace":"x"},"spec":{"nodeName":"n"}}`
)

func TestDecode_Accepted(t *testing.T) {
	whole := `{"version":2,"config":{"trackedObjects":{"v1.Pod":{"trackLifecycle":true}}}}
{"ts":5,"applied_objs":[{"apiVersion":"v1","kind":"Pod","metadata":{"name":"a","namespace":"x"},"spec":{"nodeName":"m"}}],"deleted_objs":[]}
{"index":{"v1.Pod":{"x/a":"7"}}}
{"pod_lifecycles":{"v1.Pod":{"x/a":{"18446744073709551615":["Empty",{"Running":1},{"Finished":[1,2]}]}}}}
`
	eventsAlone := `{"version":2,"config":{"trackedObjects":{"v1.Pod":{}}}}
{"ts":5,"applied_objs":[` + podA + `],"deleted_objs":[]}
{"ts":6,"applied_objs":[],"deleted_objs":[{"apiVersion":"v1","kind":"Pod","metadata":{"name":"a","namespace":"x"}}]}
{"index":{"v1.Pod":{"x/a":"` + indexHash(t) + `"}}}
{"pod_lifecycles":{}}
`
	for name, tc := range map[string]struct{ input, want string }{
		"lines": {whole, whole},
		"one object": {`{
  "events": [{"ts": 5, "applied_objs": [{"kind": "Pod", "spec": {"nodeName": "m"}, "apiVersion": "v1", "metadata": {"namespace": "x", "name": "a"}}]}],
  "config": {"trackedObjects": {"/v1.Pod": {"trackLifecycle": true, "skipOwned": false}}},
  "index": {"v1.Pod": {"x/a": 7}},
  "pod_lifecycles": {"v1.Pod": {"x/a": {"18446744073709551615": ["Empty", {"Running": 1}, {"Finished": [1, 2]}]}}},
  "version": 2
}`, whole},
		"parts in several objects": {strings.ReplaceAll(strings.Replace(whole, `{"index":{"v1.Pod":{"x/a":"7"}}}`, `{"index":{}}{"index":{"v1.Pod":{}}}{"index":{"v1.Pod":{"x/a":"7"}}}`, 1), "\n", " "), whole},
		"escapes":                  {strings.Replace(strings.Replace(whole, `"nodeName":"m"`, `"\u006eodeName":"\u006d"`, 1), `"x/a":"7"`, `"x\/\u0061" : 7`, 1), whole},
		"events alone":             {`{"ts":5,"applied_objs":[` + podA + `]}{"ts":6,"deleted_objs":[` + podA + `]}`, eventsAlone},
		"hash as a negative integer": {
			strings.Replace(whole, `"x/a":"7"`, `"x/a":-1`, 1), strings.Replace(whole, `"x/a":"7"`, `"x/a":"18446744073709551615"`, 1),
		},
		"old path": {
			strings.Replace(whole, `"trackLifecycle":true`, `"podSpecTemplatePath":"/a"`, 1),
			strings.Replace(whole, `"trackLifecycle":true`, `"podSpecTemplatePaths":["/a"]`, 1),
		},
		"null for a kind": {strings.Replace(whole, `{"trackLifecycle":true}`, `null`, 1), strings.Replace(whole, `{"trackLifecycle":true}`, `{}`, 1)},
	} {
		t.Run(name, func(t *testing.T) {
			data, _, err := decode(t, tc.input)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(tc.want, encode(t, data, JSON)); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
			var again bytes.Buffer
			if _, err := Decode(t.Context(), iotest.OneByteReader(strings.NewReader(tc.input)), &again, DecodeOptions{}); err != nil {
				t.Fatalf("byte by byte: %v", err)
			}
			if !bytes.Equal(again.Bytes(), data) {
				t.Error("byte by byte: it is another trace")
			}
		})
	}
}

func indexHash(t *testing.T) string {
	t.Helper()
	hash, err := trace.HashValue(map[string]any{"nodeName": "n"})
	if err != nil {
		t.Fatal(err)
	}
	return fmt.Sprint(hash)
}

func TestDecode_Refused(t *testing.T) {
	deep := strings.Repeat(`{"a":`, 300)
	for name, tc := range map[string]struct {
		input, want string
		class       error
	}{
		"nothing":          {" \n", `line 2, column 1: the input is empty; want objects that describe the parts of a trace, such as {"ts": 0, "applied_objs": []}`, ErrForm},
		"no JSON":          {"\n apiVersion: v1", `line 2, column 2: invalid character 'a' at start of value`, ErrSyntax},
		"an array":         {`[]`, `line 1, column 1: want an object that describes a part of a trace, got an array`, ErrForm},
		"an empty object":  {`{}`, `line 1, column 1: the object is empty; want one with some of the keys ts, applied_objs, deleted_objs (an event), version, config, events, index, pod_lifecycles, x-simkube`, ErrForm},
		"unknown key":      {`{"applied":[]}`, `line 1, column 2: applied: the key is none of ts, applied_objs, deleted_objs (an event), version, config, events, index, pod_lifecycles, x-simkube`, ErrForm},
		"mixed keys":       {`{"ts":1,"version":2}`, `line 1, column 9: the keys ts and version do not belong into one object`, ErrForm},
		"no time":          {`{"ts":1}` + "\n" + `{"applied_objs":[]}`, `line 2, column 1: the event has no "ts"`, trace.ErrMissingKey},
		"time as text":     {`{"ts":"now"}`, `line 1, column 7: ts: want a time in unix seconds, an integer, got a string`, ErrForm},
		"fraction of time": {`{"ts":1.5}`, `line 1, column 7: ts: want a time in unix seconds, an integer, got 1.5`, ErrForm},
		"key twice":        {`{"ts":1,"ts":2}`, `line 1, column 9: the key "ts" is there twice`, trace.ErrDuplicateKey},
		"version twice":    {`{"version":2}` + "\n" + `{"version":2}`, `line 2, column 2: version: the input has it already`, trace.ErrDuplicateKey},
		"another version":  {`{"version":1}`, `line 1, column 12: version: version 1 is not supported; want 2`, trace.ErrVersion},
		"cut off":          {`{"version":2}` + "\n" + `{"ts":1}` + "\n", `line 3, column 1: the input ends without the key "index": it has been cut off (only what has no "version" is taken as events alone)`, trace.ErrMissingKey},
		"cut off in an object": {
			`{"ts":1,"applied_objs":[{"apiVersion":"v`, `line 1, column 41: applied_objs[0].apiVersion: the input ends here; want the quote that ends the string`, ErrSyntax,
		},
		"comma missing":    {`{"ts":1 "applied_objs":[]}`, `line 1, column 9: invalid character '"' after object value (expecting ',' or '}')`, ErrSyntax},
		"comma at the end": {`{"ts":1,}`, `line 1, column 8: invalid character ',' at start of value`, ErrSyntax},
		"colon missing":    {`{"ts" 1}`, `line 1, column 7: ts: invalid character '1' after object name (expecting ':')`, ErrSyntax},
		"no manifest":      {`{"ts":1,"applied_objs":["pod"]}`, `line 1, column 25: applied_objs[0]: want a manifest, which is an object, got a string`, ErrForm},
		"no name": {
			"{\"ts\":1,\n\"applied_objs\":[" + podA + ",\n  {\"apiVersion\":\"v1\",\"kind\":\"Pod\",\"metadata\":{}}]}",
			`line 3, column 3: applied_objs[1].metadata: the key "name" is missing`, trace.ErrMissingKey,
		},
		"key of a manifest twice": {
			`{"ts":1,"applied_objs":[{"apiVersion":"v1","kind":"Pod","metadata":{"name":"a","name":"b"}}]}`,
			`line 1, column 25: applied_objs[0].metadata: duplicate key "name"`, trace.ErrDuplicateKey,
		},
		"integer too long": {
			`{"ts":1,"applied_objs":[{"a":18446744073709551616}]}`,
			`line 1, column 30: applied_objs[0].a: the integer 18446744073709551616 needs more than 64 bits (with .0 at the end it is a float)`, ErrForm,
		},
		"float too large": {`{"ts":1,"applied_objs":[{"a":1e999}]}`, `line 1, column 30: applied_objs[0].a: 1e999 is larger than a float can be`, ErrForm},
		"no number":       {`{"ts":1,"applied_objs":[{"a":[01]}]}`, `line 1, column 32: applied_objs[0].a: invalid character '1' after array element (expecting ',' or ']')`, ErrSyntax},
		"no literal":      {`{"ts":1,"applied_objs":[{"a":nil}]}`, `line 1, column 31: applied_objs[0].a: invalid character 'i' in literal null (expecting 'u')`, ErrSyntax},
		"half a character": {
			`{"ts":1,"applied_objs":[{"a":"\ud800"}]}`, "line 1, column 31: applied_objs[0].a: invalid surrogate pair `\\ud800\"}]}` in string", ErrSyntax,
		},
		"no such escape":      {`{"ts":1,"applied_objs":[{"a":"\x"}]}`, "line 1, column 31: applied_objs[0].a: invalid escape sequence `\\x` in string", ErrSyntax},
		"line in a string":    {"{\"ts\":1,\"applied_objs\":[{\"a\":\"\n\"}]}", `line 1, column 31: applied_objs[0].a: invalid character '\n' in string (expecting non-control character)`, ErrSyntax},
		"no UTF-8":            {"{\"ts\":1,\"applied_objs\":[{\"a\":\"\xff\"}]}", `line 1, column 31: applied_objs[0].a: invalid UTF-8`, ErrSyntax},
		"events out of order": {`{"ts":2}` + "\n" + `{"ts":1}`, `line 2: write event 1: its time is 1, before 2 of the previous event: events out of time order`, trace.ErrOrder},
		"events out of order in an array": {
			`{"events":[{"ts":2},{"ts":1}]}`, `line 1: events[1]: write event 1: its time is 1, before 2 of the previous event: events out of time order`, trace.ErrOrder,
		},
		"event of an array": {`{"events":[{"ts":2,"applied":[]}]}`, `line 1, column 20: events[0].applied: the key is none of ts, applied_objs, deleted_objs`, ErrForm},
		"object of an event of an array": {
			`{"events":[{"ts":2,"applied_objs":[{"a":1}]}]}`, `line 1, column 36: events[0].applied_objs[0]: the key "apiVersion" is missing`, trace.ErrMissingKey,
		},
		"hash that is a float": {
			`{"index":{"v1.Pod":{"a":2.151974655102796e+18}}}`,
			`line 1, column 25: index.v1.Pod.a: want a hash, got 2.151974655102796e+18: it has been through a program that has no integers of 64 bits; hashes are safe as strings`, ErrForm,
		},
		"hash that is text": {`{"index":{"v1.Pod":{"a":"0x1"}}}`, `line 1, column 25: index.v1.Pod.a: want a hash, an unsigned integer of 64 bits, got "0x1"`, ErrForm},
		"kind":              {`{"index":{"Pod":{}}}`, `line 1, column 11: index: kind "Pod": want group/version.Kind, or version.Kind for the core group`, trace.ErrValue},
		"object twice":      {`{"index":{"v1.Pod":{"a":1,"a":1}}}`, `line 1, column 27: index.v1.Pod.a: the object is there twice`, trace.ErrDuplicateKey},
		"lifecycle": {
			`{"pod_lifecycles":{"v1.Pod":{"a":{"1":[{"Started":1}]}}}}`,
			`line 1, column 41: pod_lifecycles.v1.Pod.a.1[0]: want a lifecycle: "Empty", {"Running": start} or {"Finished": [start, end]}, got "Started"`, trace.ErrValue,
		},
		"config": {
			`{"config":{"trackedObjects":{"v1.Pod":{"trackLifecycles":true}}}}`,
			`line 1, column 40: config.trackedObjects.v1.Pod: the key "trackLifecycles" is none of podSpecTemplatePaths, skipOwned, trackLifecycle`, ErrForm,
		},
		"bytes": {`{"ts":1}{"x-simkube":{"a":{"$msgpack":"xx"}}}`, `line 1, column 39: x-simkube.a.$msgpack: want msgpack bytes in base64: illegal base64 data at input byte 0`, ErrForm},
		"bytes and more": {
			`{"ts":1}{"x-simkube":{"a":{"$msgpack":"AQE="}}}`, `line 1, column 39: x-simkube.a.$msgpack: the bytes are a msgpack value and 1 more`, ErrForm,
		},
		"extension key twice": {`{"ts":1}{"x-simkube":{"a":1,"a":1}}`, `line 1, column 29: x-simkube: the key "a" is there twice`, trace.ErrDuplicateKey},
		"too deep":            {`{"ts":1,"applied_objs":[` + deep, ``, trace.ErrTooDeep},
	} {
		t.Run(name, func(t *testing.T) {
			_, _, err := decode(t, tc.input)
			if err == nil {
				t.Fatal("it was accepted")
			}
			if !errors.Is(err, tc.class) {
				t.Errorf("got the class of %v, want %v", err, tc.class)
			}
			if diff := cmp.Diff(tc.want, err.Error()); diff != "" && tc.want != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}

func TestDecode_Source(t *testing.T) {
	t.Run("a failure", func(t *testing.T) {
		broken := errors.New("the disk is broken")
		_, err := Decode(t.Context(), iotest.ErrReader(broken), &bytes.Buffer{}, DecodeOptions{})
		if !errors.Is(err, broken) || errors.Is(err, ErrSyntax) {
			t.Errorf("got %v, want %v", err, broken)
		}
	})
	t.Run("an interruption", func(t *testing.T) {
		stop := errors.New("stop")
		ctx, cancel := context.WithCancelCause(t.Context())
		cancel(stop)
		if _, err := Decode(ctx, strings.NewReader(`{"ts":1}`), &bytes.Buffer{}, DecodeOptions{}); !errors.Is(err, stop) {
			t.Errorf("got %v, want %v", err, stop)
		}
	})
	t.Run("progress", func(t *testing.T) {
		n := 0
		if _, err := Decode(t.Context(), strings.NewReader(`{"ts":1}`), &bytes.Buffer{}, DecodeOptions{Progress: func(got int) { n += got }}); err != nil || n != 8 {
			t.Errorf("got %d bytes and %v, want 8", n, err)
		}
	})
}
