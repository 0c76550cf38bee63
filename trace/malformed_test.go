package trace

import (
	"bytes"
	"errors"
	"fmt"
	"math"
	"strings"
	"testing"
)

// malformed returns traces with one error each, the full text of the error and its class. They are
// also the seeds of the fuzz targets.
func malformed() []malformedTrace {
	goodEvent := ordered{"ts", 5, "applied_objs", []any{}, "deleted_objs", []any{}}
	events := func(es ...any) []byte { return pack(traceFields.with("events", es)) }
	lifecycle := func(l any) []byte {
		return pack(traceFields.with("pod_lifecycles", ordered{[]any{"v1.Pod", "a/b"}, ordered{9, []any{"Empty", l}}}))
	}
	object := func(o any) []byte { return pack(eventsOf(o)) }
	spec := func(v any) []byte { return object(podManifest.with("spec", v)) }
	bomb := append(bytes.Repeat([]byte{mFixArray + 1}, 100_000), mNil)
	mapBomb := append(bytes.Repeat([]byte{mFixMap + 1, mFixStr + 1, 'a'}, 100_000), mNil)
	return []malformedTrace{
		{"nothing", nil, "want a trace, got an empty file", ErrTruncated},
		{"a number", []byte{7}, "want a trace, which is a map (version 2) or an array (version 1), got an integer", ErrType},
		{"text", []byte("hello"), "want a trace, got text", ErrType},
		{"json", []byte(`{"version": 2}`), "want a trace, got a trace as JSON", ErrType},
		{"version 3", pack(traceFields.with("version", 3)), "version: version 3 is not supported: must be 2", ErrVersion},
		{"version 1 as a map", pack(traceFields.with("version", 1)), "version: version 1 is not supported: must be 2", ErrVersion},
		{"version -2", pack(traceFields.with("version", -2)), "version: version -2 is not supported: must be 2", ErrVersion},
		{"version as text", pack(traceFields.with("version", "2")), "version: want an integer, got a string", ErrType},
		{"late version 3", pack(ordered{"events", []any{}, "config", ordered{}, "index", ordered{}, "pod_lifecycles", ordered{}, "version", 3}), "version: version 3 is not supported: must be 2", ErrVersion},
		{"array of 5", pack([]any{1, 2, 3, 4, 5}), "want a trace: a map (version 2) or an array of 4 (version 1), got an array of 5", ErrVersion},
		{"no version", pack(traceFields.with("version", absent)), `the key "version" is missing`, ErrMissingKey},
		{"no config", pack(traceFields.with("config", absent)), `the key "config" is missing`, ErrMissingKey},
		{"no events", pack(traceFields.with("events", absent)), `the key "events" is missing`, ErrMissingKey},
		{"no index", pack(traceFields.with("index", absent)), `the key "index" is missing`, ErrMissingKey},
		{"no lifecycles", pack(traceFields.with("pod_lifecycles", absent)), `the key "pod_lifecycles" is missing`, ErrMissingKey},
		{"key twice", pack(append(traceFields[:len(traceFields):len(traceFields)], "index", ordered{})), `duplicate key "index"`, ErrDuplicateKey},
		{"unknown key twice", pack(append(traceFields[:len(traceFields):len(traceFields)], "x", 1, "x", 1)), `duplicate key "x"`, ErrDuplicateKey},
		{"key not a string", pack(append(ordered{5, 5}, traceFields...)), "want a string as key, got an integer", ErrType},
		{"trailing byte", append(pack(traceFields), mNil), "want the end of the trace, got more bytes", ErrTrailing},
		{"trailing byte of version 1", append(pack(traceV1), mNil), "want the end of the trace, got more bytes", ErrTrailing},
		{"byte that is no value", pack(append(ordered{"x", raw{mInvalid}}, traceFields...)), "x: want a value, got the byte 0xc1, which msgpack does not use", ErrType},
		{"unknown bomb", pack(append(ordered{"x", raw(bomb)}, traceFields...)), "x" + strings.Repeat("[0]", 255) + ": maps and arrays are nested deeper than 256", ErrTooDeep},
		{"unknown map bomb", pack(append(ordered{"x", raw(mapBomb)}, traceFields...)), "x" + strings.Repeat("[0]", 255) + ": maps and arrays are nested deeper than 256", ErrTooDeep},
		{"unknown map with a key twice", pack(append(ordered{"x", ordered{1, 2, 0, 3, 1, 4}}, traceFields...)), `x: duplicate key "\x01"`, ErrDuplicateKey},

		{"config null", pack(traceFields.with("config", nil)), "config: want a map, got null", ErrType},
		{"tracked objects a list", pack(traceFields.with("config", ordered{"trackedObjects", []any{}})), "config.trackedObjects: want a map, got an array", ErrType},
		{"tracked object a list", pack(traceFields.with("config", ordered{"trackedObjects", ordered{"v1.Pod", []any{}}})), `config.trackedObjects["v1.Pod"]: want a map, got an array`, ErrType},
		{"kind in config", pack(traceFields.with("config", ordered{"trackedObjects", ordered{"Pod", ordered{}}})), `config.trackedObjects: kind "Pod": want group/version.Kind, or version.Kind for the core group`, ErrValue},
		{"kind twice in config", pack(traceFields.with("config", ordered{"trackedObjects", ordered{"v1.Pod", ordered{}, "/v1.Pod", ordered{}}})), `config.trackedObjects: duplicate key "/v1.Pod"`, ErrDuplicateKey},
		{"path a number", pack(traceFields.with("config", ordered{"trackedObjects", ordered{"v1.Pod", ordered{"podSpecTemplatePaths", []any{"", 3}}}})), `config.trackedObjects["v1.Pod"].podSpecTemplatePaths[1]: want a string, got an integer`, ErrType},
		{"flag a string", pack(traceFields.with("config", ordered{"trackedObjects", ordered{"v1.Pod", ordered{"skipOwned", "yes"}}})), `config.trackedObjects["v1.Pod"].skipOwned: want a boolean, got a string`, ErrType},

		{"events a map", pack(traceFields.with("events", ordered{})), "events: want an array, got a map", ErrType},
		{"event null", events(goodEvent, nil), "events[1]: want a map, got null", ErrType},
		{"no time", events(goodEvent.with("ts", absent)), `events[0]: the key "ts" is missing`, ErrMissingKey},
		{"no applied", events(goodEvent.with("applied_objs", absent)), `events[0]: the key "applied_objs" is missing`, ErrMissingKey},
		{"no deleted", events(goodEvent.with("deleted_objs", absent)), `events[0]: the key "deleted_objs" is missing`, ErrMissingKey},
		{"time a float", events(goodEvent.with("ts", 1.5)), "events[0].ts: want an integer, got a float", ErrType},
		{"time too large", events(goodEvent.with("ts", uint64(math.MaxUint64))), "events[0].ts: 18446744073709551615 is out of range", ErrValue},
		{"objects null", events(goodEvent.with("applied_objs", nil)), "events[0].applied_objs: want an array, got null", ErrType},
		{"event key twice", events(append(goodEvent[:len(goodEvent):len(goodEvent)], "ts", 5)), `events[0]: duplicate key "ts"`, ErrDuplicateKey},
		{"events promised", pack(ordered{"version", 2, "config", ordered{}, "events", append(raw{mArray32, 0xff, 0xff, 0xff, 0xff}, pack(goodEvent)...)}), "events[1]: the trace ends here, but at least 1 more bytes are required", ErrTruncated},
		{"objects promised", pack(ordered{"version", 2, "config", ordered{}, "events", []any{ordered{"applied_objs", raw{mArray32, 0xff, 0xff, 0xff, 0xff}}}}), "events[0].applied_objs[0]: the trace ends here, but at least 1 more bytes are required", ErrTruncated},
		{"text promised", pack(ordered{"version", 2, "x", raw{mStr32, 0xff, 0xff, 0xff, 0xff, 'a'}}), "x: the trace ends here, but at least 4294967294 more bytes are required", ErrTruncated},
		{"names promised", pack(ordered{"version", 2, "index", ordered{"v1.Pod", raw{mMap32, 0xff, 0xff, 0xff, 0xff}}}), `index["v1.Pod"]: the trace ends here, but at least 1 more bytes are required`, ErrTruncated},
		{"huge array", pack(traceFields.with("events", raw{mFixArray + 1, mArray32, 0xff, 0xff, 0xff, 0xff})), "events[0]: want a map, got an array", ErrType},

		{"object a string", object("pod"), "events[0].applied_objs[0]: want a map, got a string", ErrType},
		{"metadata a string", object(podManifest.with("metadata", "x")), "events[0].applied_objs[0].metadata: want a map, got a string", ErrType},
		{"no metadata", object(podManifest.with("metadata", absent)), `events[0].applied_objs[0]: the key "metadata" is missing`, ErrMissingKey},
		{"no apiVersion", object(podManifest.with("apiVersion", absent)), `events[0].applied_objs[0]: the key "apiVersion" is missing`, ErrMissingKey},
		{"no kind", object(podManifest.with("kind", absent)), `events[0].applied_objs[0]: the key "kind" is missing`, ErrMissingKey},
		{"no name", object(podManifest.with("metadata", ordered{})), `events[0].applied_objs[0].metadata: the key "name" is missing`, ErrMissingKey},
		{"empty name", object(podManifest.with("metadata", ordered{"name", ""})), `events[0].applied_objs[0].metadata: the key "name" is missing`, ErrMissingKey},
		{"name a number", object(podManifest.with("metadata", ordered{"name", 5})), "events[0].applied_objs[0].metadata.name: want a string, got an integer", ErrType},
		{"namespace a map", object(podManifest.with("metadata", ordered{"name", "x", "namespace", ordered{}})), "events[0].applied_objs[0].metadata.namespace: want a string, got a map", ErrType},
		{"apiVersion null", object(podManifest.with("apiVersion", nil)), "events[0].applied_objs[0].apiVersion: want a string, got null", ErrType},
		{"kind with a dot", object(podManifest.with("kind", "a.b")), `events[0].applied_objs[0]: apiVersion "v1" and kind "a.b" are not a valid kind`, ErrValue},
		{"two slashes", object(podManifest.with("apiVersion", "a/b/c")), `events[0].applied_objs[0]: apiVersion "a/b/c" and kind "Pod" are not a valid kind`, ErrValue},
		{"object key twice", object(append(podManifest[:len(podManifest):len(podManifest)], "kind", "Pod")), `events[0].applied_objs[0]: duplicate key "kind"`, ErrDuplicateKey},
		{"metadata key twice", object(podManifest.with("metadata", ordered{"name", "x", "a", 1, "name", "x"})), `events[0].applied_objs[0].metadata: duplicate key "name"`, ErrDuplicateKey},
		{"spec key twice", spec(ordered{"b", 1, "a", 2, "c", 3, "a", 4}), `events[0].applied_objs[0].spec: duplicate key "a"`, ErrDuplicateKey},
		{"spec key twice in order", spec(ordered{"a", 1, "a", 2}), `events[0].applied_objs[0].spec: duplicate key "a"`, ErrDuplicateKey},
		{"spec key a number", spec(ordered{"a", 1, 7, 2}), "events[0].applied_objs[0].spec: want a string as key, got an integer", ErrType},
		{"not UTF-8", spec(ordered{"a", raw{mFixStr + 2, 0xff, 'a'}}), "events[0].applied_objs[0].spec.a: the string is not valid UTF-8", ErrValue},
		{"key not UTF-8", spec(ordered{raw{mFixStr + 1, 0xc0}, 1}), "events[0].applied_objs[0].spec: the string is not valid UTF-8", ErrValue},
		{"not a number", spec(ordered{"a", ordered{"b.c", math.NaN()}}), `events[0].applied_objs[0].spec.a["b.c"]: want a number that JSON can hold, got NaN`, ErrValue},
		{"infinity", spec([]any{1, float32(math.Inf(-1))}), "events[0].applied_objs[0].spec[1]: want a number that JSON can hold, got -Inf", ErrValue},
		{"extension in a manifest", spec(raw{mFixExt, 1, 1}), "events[0].applied_objs[0].spec: want a value that JSON can hold, got a msgpack extension", ErrType},
		{"depth bomb", spec(raw(bomb)), "events[0].applied_objs[0].spec" + strings.Repeat("[0]", 251) + ": maps and arrays are nested deeper than 256", ErrTooDeep},
		{"map bomb", spec(raw(mapBomb)), "events[0].applied_objs[0].spec" + strings.Repeat(".a", 251) + ": maps and arrays are nested deeper than 256", ErrTooDeep},

		{"index a list", pack(traceFields.with("index", []any{})), "index: want a map, got an array", ErrType},
		{"index kind", pack(traceFields.with("index", ordered{"a/b/c.D", ordered{}})), `index: kind "a/b/c.D": want group/version.Kind; a version and a kind contain no dots and no slashes`, ErrValue},
		{"index without kinds", pack(traceFields.with("index", ordered{"v1.Pod", 5})), `index["v1.Pod"]: want a map, got an integer`, ErrType},
		{"index kind twice", pack(traceFields.with("index", ordered{"v1.Pod", ordered{}, "v1.Pod", ordered{}})), `index: duplicate key "v1.Pod"`, ErrDuplicateKey},
		{"index name twice", pack(traceFields.with("index", ordered{"v1.Pod", ordered{"a/b", 1, "a/b", 1}})), `index["v1.Pod"]: duplicate key "a/b"`, ErrDuplicateKey},
		{"hash a float", pack(traceFields.with("index", ordered{"v1.Pod", ordered{"a/b", 1.0}})), `index["v1.Pod"]["a/b"]: want an integer, got a float`, ErrType},

		{"owner a string", pack(traceFields.with("pod_lifecycles", ordered{"v1.Pod", ordered{}})), "pod_lifecycles[key]: want an array, got a string", ErrType},
		{"owner of three", pack(traceFields.with("pod_lifecycles", ordered{[]any{"v1.Pod", "a", "b"}, ordered{}})), "pod_lifecycles[key]: want an array of a kind and a name, got one of 3", ErrType},
		{"owner name null", pack(traceFields.with("pod_lifecycles", ordered{[]any{"v1.Pod", nil}, ordered{}})), "pod_lifecycles[key][1]: want a string, got null", ErrType},
		{"owner twice", pack(traceFields.with("pod_lifecycles", ordered{[]any{"v1.Pod", "a"}, ordered{}, []any{"/v1.Pod", "a"}, ordered{}})), `pod_lifecycles: duplicate key "v1.Pod a"`, ErrDuplicateKey},
		{"pod hash a string", pack(traceFields.with("pod_lifecycles", ordered{[]any{"v1.Pod", "a"}, ordered{"9", []any{}}})), `pod_lifecycles["v1.Pod a"][key]: want an integer, got a string`, ErrType},
		{"pod hash twice", pack(traceFields.with("pod_lifecycles", ordered{[]any{"v1.Pod", "a"}, ordered{9, []any{}, wideInt(9), []any{}}})), `pod_lifecycles["v1.Pod a"]: duplicate key "9"`, ErrDuplicateKey},
		{"lifecycles a map", pack(traceFields.with("pod_lifecycles", ordered{[]any{"v1.Pod", "a"}, ordered{9, ordered{}}})), `pod_lifecycles["v1.Pod a"].9: want an array, got a map`, ErrType},
		{"lifecycle a number", lifecycle(3), `pod_lifecycles["v1.Pod a/b"].9[1]: want a lifecycle, which is "Empty" or a map, got an integer`, ErrType},
		{"lifecycle another string", lifecycle("Running"), `pod_lifecycles["v1.Pod a/b"].9[1]: want a lifecycle, got the string "Running"`, ErrValue},
		{"lifecycle of nothing", lifecycle(ordered{"Paused", 5}), `pod_lifecycles["v1.Pod a/b"].9[1]: want a lifecycle: "Empty", {"Running": start} or {"Finished": [start, end]}`, ErrMissingKey},
		{"lifecycle of version 1", lifecycle(ordered{"start_ts", 5}), `pod_lifecycles["v1.Pod a/b"].9[1]: want a lifecycle: "Empty", {"Running": start} or {"Finished": [start, end]}`, ErrMissingKey},
		{"lifecycle both", lifecycle(ordered{"Running", 5, "Finished", []any{5, 6}}), `pod_lifecycles["v1.Pod a/b"].9[1]: the lifecycle is both Running and Finished`, ErrValue},
		{"finished with a number", lifecycle(ordered{"Finished", 5}), `pod_lifecycles["v1.Pod a/b"].9[1].Finished: want an array, got an integer`, ErrType},
		{"finished without end", lifecycle(ordered{"Finished", []any{5}}), `pod_lifecycles["v1.Pod a/b"].9[1].Finished: want an array of a start and an end, got one of 1`, ErrType},
		{"finished with null", lifecycle(ordered{"Finished", []any{5, nil}}), `pod_lifecycles["v1.Pod a/b"].9[1].Finished[1]: want an integer, got null`, ErrType},
		{"extension a number", pack(traceFields.with("x-simkube", 1)), "x-simkube: want a map, got an integer", ErrType},
	}
}

type malformedTrace struct {
	name  string
	data  []byte
	want  string
	class error
}

func TestRead_Malformed(t *testing.T) {
	for _, test := range malformed() {
		t.Run(test.name, func(t *testing.T) {
			_, err := Read(bytes.NewReader(test.data))
			var format *FormatError
			if !errors.As(err, &format) {
				t.Fatalf("got %v, want a *FormatError", err)
			}
			if !errors.Is(err, test.class) {
				t.Errorf("got class %v, want %v", format.Err, test.class)
			}
			if want := fmt.Sprintf("byte %d: %s", format.Offset, test.want); test.want != "" && err.Error() != want {
				t.Errorf("got  %s\nwant %s", err, want)
			}
			if format.Offset < 0 || format.Offset > int64(len(test.data)) {
				t.Errorf("offset: got %d, in a trace of %d bytes", format.Offset, len(test.data))
			}
		})
	}
}

// TestRead_Offset reads traces with an invalid value that occurs once, so that its offset can be
// searched for.
func TestRead_Offset(t *testing.T) {
	needle := []byte{mFixExt, 0x55, 0x66}
	good := pack(traceFields)
	tests := map[string]ordered{
		"in a spec":      eventsOf(podManifest.with("spec", ordered{"a", []any{1, raw(needle)}})),
		"in metadata":    eventsOf(podManifest.with("metadata", ordered{"name", "x", "labels", raw(needle)})),
		"for a name":     eventsOf(podManifest.with("metadata", ordered{"name", raw(needle)})),
		"for an index":   traceFields.with("index", ordered{"v1.Pod", ordered{"a/b", 1, "a/c", raw(needle)}}),
		"for a pod hash": traceFields.with("pod_lifecycles", ordered{[]any{"v1.Pod", "x"}, ordered{raw(needle), []any{}}}),
	}
	for name, fields := range tests {
		t.Run(name, func(t *testing.T) {
			data := pack(fields)
			var format *FormatError
			if _, err := Read(bytes.NewReader(data)); !errors.As(err, &format) {
				t.Fatalf("got %v, want a *FormatError", err)
			}
			if got, want := format.Offset, int64(bytes.Index(data, needle)); got != want {
				t.Errorf("offset: got %d, want %d", got, want)
			}
		})
	}
	t.Run("truncated", func(t *testing.T) {
		for cut := range len(good) {
			var format *FormatError
			_, err := Read(bytes.NewReader(good[:cut]))
			if !errors.As(err, &format) || !errors.Is(err, ErrTruncated) || format.Offset != int64(cut) {
				t.Fatalf("cut to %d bytes: got %v, want ErrTruncated there", cut, err)
			}
		}
	})
}
