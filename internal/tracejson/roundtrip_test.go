package tracejson

import (
	"bytes"
	"math"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/tinylib/msgp/msgp"

	"simkube.io/simkube/trace"
)

func TestRoundTrip_Samples(t *testing.T) {
	for name, data := range sampleTraces(t) {
		t.Run(name, func(t *testing.T) {
			text := encode(t, data, JSON)
			got, decoded, err := decode(t, text)
			if err != nil {
				t.Fatal(err)
			}
			if !bytes.Equal(got, canonical(t, data)) {
				t.Error("the trace is another one after the round trip")
			}
			if decoded.ConfigMade || decoded.IndexMade {
				t.Errorf("something was made that was there: %+v", decoded)
			}
		})
	}
}

// hostileManifest returns a manifest with values that JSON could lose.
func hostileManifest() []byte {
	b := msgp.AppendMapHeader(nil, 12)
	str := func(k, v string) { b = msgp.AppendString(msgp.AppendString(b, k), v) }
	str("zzz", "after the others")
	str("kind", "ConfigMap")
	str("apiVersion", "v1")
	b = msgp.AppendString(b, "metadata")
	b = msgp.AppendMapHeader(b, 1)
	str("name", "a <b> & \"c\" \\ \u2028 \x00\x1f\x7f \U0001f600 \n\r\t")
	b = msgp.AppendUint64(msgp.AppendString(b, "big"), math.MaxUint64)
	b = msgp.AppendInt64(msgp.AppendString(b, "small"), math.MinInt64)
	b = append(msgp.AppendString(b, "wide"), 0xd3, 0, 0, 0, 0, 0, 0, 0, 1)
	b = msgp.AppendFloat64(msgp.AppendString(b, "whole"), 1)
	b = msgp.AppendFloat64(msgp.AppendString(b, "zero"), math.Copysign(0, -1))
	b = msgp.AppendFloat32(msgp.AppendString(b, "single"), 0.1)
	b = msgp.AppendBytes(msgp.AppendString(b, "binary"), []byte{0, 255, 1})
	b = msgp.AppendString(b, "floats")
	b = msgp.AppendArrayHeader(b, 5)
	for _, f := range []float64{1e21, 1e-7, math.MaxFloat64, math.SmallestNonzeroFloat64, 5e-324} {
		b = msgp.AppendFloat64(b, f)
	}
	return b
}

// hostileExtension returns an extension with values that JSON cannot represent.
func hostileExtension() []byte {
	b := msgp.AppendMapHeader(nil, 13)
	key := func(k string) { b = msgp.AppendString(b, k) }
	key("version")
	b = append(b, 0xcd, 0, 1) // wider than needed
	key("pods")
	b = msgp.AppendArrayHeader(b, 4)
	b = msgp.AppendMapHeader(b, 1)
	key("hash")
	b = msgp.AppendUint64(b, math.MaxUint64)
	b = msgp.AppendMapHeader(b, 1)
	key("hash")
	b = msgp.AppendString(b, "123")
	b = msgp.AppendMapHeader(b, 1)
	key("hash")
	b = msgp.AppendInt64(b, -5)
	b = msgp.AppendMapHeader(b, 1)
	key("hash")
	b = append(b, 0xcc, 7)
	key("single")
	b = msgp.AppendFloat32(b, 0.5)
	key("nan")
	b = msgp.AppendFloat64(b, math.NaN())
	key("infinite")
	b = msgp.AppendFloat64(b, math.Inf(-1))
	key("time")
	b = append(b, 0xd6, 0xff, 1, 2, 3, 4)
	key("ext")
	b = append(b, 0xc7, 3, 9, 1, 2, 3)
	key("keys")
	b = msgp.AppendMapHeader(b, 2)
	b = msgp.AppendString(msgp.AppendUint64(b, 1), "one")
	b = msgp.AppendString(msgp.AppendNil(b), "none")
	key("dollar")
	b = msgp.AppendMapHeader(b, 1)
	key("$msgpack")
	b = msgp.AppendString(b, "not bytes")
	key("order")
	b = msgp.AppendMapHeader(b, 2)
	b = msgp.AppendString(msgp.AppendString(b, "b"), "1")
	b = msgp.AppendString(msgp.AppendString(b, "a"), "2")
	key("long string")
	b = append(b, 0xd9, 1, 'x')
	key("long array")
	b = append(b, 0xdc, 0, 0)
	key("binary")
	b = msgp.AppendBytes(b, []byte("x"))
	return b
}

// hostileTrace returns a trace with both.
func hostileTrace(t testing.TB) []byte {
	t.Helper()
	obj, err := trace.ParseObject(hostileManifest())
	if err != nil {
		t.Fatal(err)
	}
	event := trace.Event{Time: -3, Applied: []trace.Object{obj}}
	index := trace.Index{}
	index.Record(&event)
	pods := map[uint64][]trace.Lifecycle{
		math.MaxUint64: {{State: trace.Running, Start: -7}, {}, {State: trace.Finished, Start: 1, End: math.MaxInt64}},
		7:              {},
	}
	owner := trace.PodOwner{GVK: obj.GVK(), Name: "a/b c"}
	tr := trace.Trace{Events: []trace.Event{event}, Index: index, Lifecycles: trace.Lifecycles{owner: pods, {GVK: obj.GVK(), Name: ""}: {}}, Extension: hostileExtension()}
	var out bytes.Buffer
	if err := tr.Write(&out); err != nil {
		t.Fatal(err)
	}
	// With the bytes of the objects as they are.
	written, err := trace.Read(&out)
	if err != nil {
		t.Fatal(err)
	}
	written.Events = tr.Events
	raw := bytes.Buffer{}
	if err := written.Write(&raw); err != nil {
		t.Fatal(err)
	}
	return bytes.Replace(raw.Bytes(), canonicalObject(t, obj), obj.Raw(), 1)
}

func canonicalObject(t testing.TB, obj trace.Object) []byte {
	t.Helper()
	var out bytes.Buffer
	w, err := trace.NewWriter(&out, &trace.Config{}, trace.WriterOptions{Events: 1})
	if err != nil {
		t.Fatal(err)
	}
	if err := w.WriteEvent(&trace.Event{Applied: []trace.Object{obj}}); err != nil {
		t.Fatal(err)
	}
	if err := w.Finish(&trace.Tail{}); err != nil {
		t.Fatal(err)
	}
	tr, err := trace.Read(&out)
	if err != nil {
		t.Fatal(err)
	}
	return tr.Events[0].Applied[0].Raw()
}

func TestRoundTrip_WhatJSONCannotHold(t *testing.T) {
	data := hostileTrace(t)
	if bytes.Equal(data, canonical(t, data)) {
		t.Fatal("the trace is canonical already: it tests little")
	}
	text := encode(t, data, JSON)
	got, _, err := decode(t, text)
	if err != nil {
		t.Fatalf("%v in\n%s", err, text)
	}
	if !bytes.Equal(got, canonical(t, data)) {
		t.Errorf("the trace is another one after the round trip by\n%s", text)
	}
	const want = `{"x-simkube":{"version":{"$msgpack":"zQAB"},` +
		`"pods":[{"hash":"18446744073709551615"},{"hash":{"$msgpack":"ozEyMw=="}},{"hash":-5},{"hash":{"$msgpack":"zAc="}}],` +
		`"single":{"$msgpack":"yj8AAAA="},"nan":{"$msgpack":"y3/4AAAAAAAB"},"infinite":{"$msgpack":"y//wAAAAAAAA"},` +
		`"time":{"$msgpack":"1v8BAgME"},"ext":{"$msgpack":"xwMJAQID"},"keys":{"$msgpack":"ggGjb25lwKRub25l"},` +
		`"dollar":{"$msgpack":"gagkbXNncGFja6lub3QgYnl0ZXM="},"order":{"b":"1","a":"2"},` +
		`"long string":{"$msgpack":"2QF4"},"long array":{"$msgpack":"3AAA"},"binary":{"$msgpack":"xAF4"}}}`
	lines := strings.Split(strings.TrimSpace(text), "\n")
	if diff := cmp.Diff(want, lines[len(lines)-1]); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	const wantObject = `{"ts":-3,"applied_objs":[{"zzz":"after the others","kind":"ConfigMap","apiVersion":"v1",` +
		`"metadata":{"name":"a <b> & \"c\" \\ ` + "\u2028" + ` \u0000\u001f` + "\x7f \U0001f600" + ` \n\r\t"},` +
		`"big":18446744073709551615,"small":-9223372036854775808,"wide":1,"whole":1.0,"zero":-0.0,"single":0.10000000149011612,"binary":"AP8B",` +
		`"floats":[1.0e+21,1.0e-07,1.7976931348623157e+308,5.0e-324,5.0e-324]}],"deleted_objs":[]}`
	if diff := cmp.Diff(wantObject, lines[1]); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}
