package traceinfo

import (
	"bytes"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"go.uber.org/goleak"

	"simkube.io/simkube/internal/tracejson"
	"simkube.io/simkube/trace"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// readerOf returns a reader of a trace that is written as JSON.
func readerOf(t *testing.T, text string) *trace.Reader {
	t.Helper()
	var out bytes.Buffer
	if _, err := tracejson.Decode(t.Context(), strings.NewReader(text), &out, tracejson.DecodeOptions{}); err != nil {
		t.Fatal(err)
	}
	reader, err := trace.NewReader(&out)
	if err != nil {
		t.Fatal(err)
	}
	return reader
}

func collect(t *testing.T, text string) *Info {
	t.Helper()
	reader := readerOf(t, text)
	info, err := Collect(reader, reader.Events())
	if err != nil {
		t.Fatal(err)
	}
	return info
}

// pods is a pod template whose container requests a core and a GiB.
const pods = `"template":{"spec":{"containers":[{"name":"c","resources":{"requests":{"cpu":"1"},"limits":{"memory":"1Gi"}}}]}}`

func manifest(apiVersion, kind, name, rest string) string {
	return `{"apiVersion":"` + apiVersion + `","kind":"` + kind + `","metadata":{"name":"` + name + `","namespace":"x"},` + rest + `}`
}

func at(ts, applied, deleted string) string {
	return `{"ts":` + ts + `,"applied_objs":[` + applied + `],"deleted_objs":[` + deleted + `]}` + "\n"
}

func TestCollect_Peak(t *testing.T) {
	deployment := func(name, replicas string) string {
		return manifest("apps/v1", "Deployment", name, `"spec":{"replicas":`+replicas+`,`+pods+`}`)
	}
	peak := func(n, second int64) Peak {
		if n == 0 {
			return Peak{}
		}
		when := time.Unix(second, 0).UTC()
		return Peak{CPUMillis: 1000 * n, CPUAt: when, MemoryBytes: n << 30, MemoryAt: when, Pods: n, PodsAt: when}
	}
	daemonSet := Peak{DaemonSets: 1}
	unreadable := Peak{Unreadable: 1}
	for name, tc := range map[string]struct {
		events string
		want   Peak
	}{
		"replicas change":                   {at("1", deployment("a", "2"), "") + at("2", deployment("a", "5"), "") + at("3", deployment("a", "1"), ""), peak(5, 2)},
		"two at one time":                   {at("1", deployment("a", "2"), "") + at("2", deployment("b", "3"), deployment("a", "2")) + at("3", deployment("a", "1"), ""), peak(4, 3)},
		"nothing asked for by what is gone": {at("1", deployment("a", "2"), "") + at("2", "", deployment("a", "2")) + at("3", deployment("a", "2"), ""), peak(2, 1)},
		"a Job's parallelism":               {at("1", manifest("batch/v1", "Job", "a", `"spec":{"parallelism":5,"completions":3,`+pods+`}`), ""), peak(3, 1)},
		"a suspended CronJob":               {at("1", manifest("batch/v1", "CronJob", "a", `"spec":{"suspend":true,"jobTemplate":{"spec":{`+pods+`}}}`), ""), peak(0, 1)},
		"a CronJob":                         {at("1", manifest("batch/v1", "CronJob", "a", `"spec":{"jobTemplate":{"spec":{"parallelism":2,"completions":2,`+pods+`}}}`), ""), peak(2, 1)},
		"a DaemonSet":                       {at("1", manifest("apps/v1", "DaemonSet", "a", `"spec":{`+pods+`}`), ""), daemonSet},
		"a bare pod":                        {at("1", manifest("v1", "Pod", "a", strings.TrimSuffix(strings.TrimPrefix(pods, `"template":{`), "}")), ""), peak(1, 1)},
		"a pod that a Job of the trace made": {
			at("1", manifest("batch/v1", "Job", "a", `"spec":{`+pods+`}`), "") +
				at("2", strings.Replace(manifest("v1", "Pod", "a-1", strings.TrimSuffix(strings.TrimPrefix(pods, `"template":{`), "}")),
					`"namespace"`, `"ownerReferences":[{"apiVersion":"batch/v1","kind":"Job","name":"a","uid":"1","controller":true}],"namespace"`, 1), ""),
			peak(1, 1),
		},
		"no quantity": {at("1", manifest("apps/v1", "Deployment", "a", `"spec":{"template":{"spec":{"containers":[{"resources":{"requests":{"cpu":"lots"}}}]}}}`), ""), unreadable},
	} {
		t.Run(name, func(t *testing.T) {
			text := tc.events
			if name == "a pod that a Job of the trace made" {
				text = `{"config":{"trackedObjects":{"batch/v1.Job":{},"v1.Pod":{}}}}` + text
			}
			if diff := cmp.Diff(tc.want, collect(t, text).Peak); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}

func TestCollect_Checks(t *testing.T) {
	const pod = `"spec":{"nodeName":"n1"}`
	text := at("1", manifest("v1", "Pod", "same", pod)+","+manifest("v1", "Pod", "differs", pod)+","+manifest("v1", "Pod", "missing", pod), "") +
		`{"index":{"v1.Pod":{"x/same":"8970697976414985075","x/differs":"1","x/extra":"1"}}}
		{"pod_lifecycles":{"v1.Pod":{"x/same":{"13820863027813006243":[{"Finished":[9,5]}, "Empty", {"Running":1}, {"Finished":[1,11]}]},"x/differs":{"7":[]},"x/unknown":{}}}}`
	info := collect(t, text)
	want := Checks{
		Index: IndexCheck{Entries: 3, Differ: 1, Missing: 1, Extra: 1, Examples: []string{
			"v1.Pod x/differs: the last manifest has the hash 8970697976414985075, the index 1",
			"v1.Pod x/extra: no event applies it",
			"v1.Pod x/missing: not in the index",
		}},
		Lifecycles: LifecycleCheck{UnknownOwners: 1, OtherPods: 1, Reversed: 1, Examples: []string{
			"v1.Pod x/differs: none of its manifests has the pod hash 7",
			"v1.Pod x/same: a lifecycle ends before it starts",
			"v1.Pod x/unknown: no event has it",
		}},
	}
	if diff := cmp.Diff(want, info.Checks); diff != "" {
		t.Errorf("checks (-want +got):\n%s", diff)
	}
	wantLifecycles := Lifecycles{Owners: 3, Pods: 4, Finished: 2, Running: 1, Empty: 1, Seconds: &Quantiles{Min: 0, P50: 0, P90: 10, P99: 10, Max: 10}}
	if diff := cmp.Diff(wantLifecycles, info.Lifecycles); diff != "" {
		t.Errorf("lifecycles (-want +got):\n%s", diff)
	}
}

func TestCollect_Extension(t *testing.T) {
	text := at("1", manifest("v1", "Pod", "a", `"spec":{}`), "") +
		`{"x-simkube":{"version":1,"event_times":[[7]],"gaps":[[1000,3500]],"nodes":[{"name":"n","from":1,"to":2},{"name":"n","from":2}],
		"pods":[{"owner":["v1.Pod","x/a"],"name":"a","hash":"7","node":"n"},{"owner":["v1.Pod","x/a"],"name":"b","hash":"7"}]}}`
	got := collect(t, text).Extension
	want := &Extension{Bytes: got.Bytes, EventTimes: true, Gaps: 1, GapMillis: 2500, Nodes: 1, NodePeriods: 2, Pods: 2, Scheduled: 1}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	newer := collect(t, `{"ts":1}{"x-simkube":{"version":99}}`).Extension
	if newer.Problem == "" {
		t.Error("a newer version is no problem")
	}
	if other := collect(t, strings.Replace(text, "[[7]]", "[[7,8]]", 1)).Extension; other.EventTimes {
		t.Error("times that do not fit the events are taken for theirs")
	}
}

func TestHashManifests(t *testing.T) {
	const one = `{"apiVersion":"v1","kind":"ConfigMap","metadata":{"name":"a"}}`
	for name, tc := range map[string]struct {
		text string
		want []string
		err  string
	}{
		"nothing":         {"# nothing\n---\n", nil, ""},
		"YAML":            {"apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a}\n---\n---\napiVersion: v1\nkind: ConfigMap\nmetadata: {name: b}\n", []string{"a", "b"}, ""},
		"JSON values":     {one + "\n" + strings.Replace(one, `"a"`, `"b"`, 1) + strings.Replace(one, `"a"`, `"c"`, 1), []string{"a", "b", "c"}, ""},
		"a list":          {`{"apiVersion":"v1","kind":"List","items":[` + one + `,` + one + `]}`, []string{"a", "a"}, ""},
		"no manifest":     {"- a\n", nil, "document 1: want a manifest"},
		"no kind":         {one + "\n---\napiVersion: v1\nmetadata: {name: a}\n", []string{"a"}, `document 2: the key "kind" is missing`},
		"no name":         {`{"apiVersion":"v1","kind":"Pod","metadata":{}}`, nil, `document 1: metadata: the key "name" is missing`},
		"no pod template": {`{"apiVersion":"v1","kind":"Pod","metadata":{"name":"a"},"spec":{"containers":7}}`, nil, "document 1: v1.Pod a: at \"\": hash a pod: containers: want a list, got a number"},
	} {
		t.Run(name, func(t *testing.T) {
			var got []string
			err := HashManifests(&trace.Config{}, strings.NewReader(tc.text), func(h *Hashes) error { got = append(got, h.Name); return nil })
			if diff := cmp.Diff(tc.want, got); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
			if text := errorText(err); text != tc.err {
				t.Errorf("got the error %q, want %q", text, tc.err)
			}
		})
	}
}

func errorText(err error) string {
	if err == nil {
		return ""
	}
	return err.Error()
}
