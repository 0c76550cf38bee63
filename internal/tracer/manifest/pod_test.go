package manifest

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/json"

	"simkube.io/simkube/trace"
)

// pods returns pods in all states of a lifecycle.
func pods() []string {
	const (
		waiting  = `"waiting":{"reason":"CrashLoopBackOff"}`
		running  = `"running":{"startedAt":"2024-02-29T12:30:%02dZ"}`
		ended    = `"terminated":{"exitCode":0,"startedAt":"2024-02-29T12:30:%02dZ","finishedAt":"2024-02-29T12:31:%02dZ"}`
		zero     = `"terminated":{"exitCode":137,"reason":"ContainerStatusUnknown","startedAt":null,"finishedAt":null}`
		zeroTime = `"running":{"startedAt":"0001-01-01T00:00:00Z"}`
	)
	run := func(at int) string { return fmt.Sprintf(running, at) }
	end := func(at, until int) string { return fmt.Sprintf(ended, at, until) }
	status := func(state, last string) string {
		return `{"name":"c","state":{` + state + `},"lastState":{` + last + `},"ready":true,"restartCount":0,"image":"i","imageID":""}`
	}
	pod := func(containers int, init, main string) string {
		list := strings.TrimSuffix(strings.Repeat(`{"name":"c","resources":{}},`, containers), ",")
		return `{"metadata":{"name":"p","creationTimestamp":"2024-02-29T12:29:00Z"},"spec":{"containers":[` + list + `]},` +
			`"status":{"initContainerStatuses":[` + init + `],"containerStatuses":[` + main + `]}}`
	}
	all := []string{
		`{}`, `{"status":null}`, `{"spec":null,"status":{"containerStatuses":null}}`,
		`{"status":{"containerStatuses":[null,{}]}}`, `{"status":{"containerStatuses":[{"state":null},{"state":{"running":null,"terminated":null}}]}}`,
		`{"status":{"containerStatuses":[{"state":{"terminated":{}}}]}}`,
		`{"status":{"containerStatuses":[{"state":{"running":{"startedAt":"2024-02-29T12:30:00+02:00","finishedAt":"2024-03-01T00:00:00Z"}}}]}}`,
		`{"status":{"containerStatuses":[{"state":{"running":{"startedAt":"2024-02-29T12:30:00Z","finishedAt":"2024-03-01T00:00:00Z"},` +
			`"terminated":{"startedAt":"2024-02-29T12:30:00Z","finishedAt":"2024-02-29T13:00:00Z"}}}]}}`,
		`{"status":{"containerStatuses":[{"state":{"running":{"startedAt":"1960-02-28T23:59:59.999Z"}}}]}}`,
		`{"status":{"containerStatuses":[{"state":{"running":{"startedAt":"yesterday"}}}]}}`,
		// The status precedes the spec.
		`{"status":{"containerStatuses":[` + status(end(1, 2), "") + `]},"spec":{"containers":[{},{}]}}`,
		`{"status":{"startTime":"2024-02-29T12:30:03Z","conditions":[{"type":"PodScheduled","status":"True","lastTransitionTime":"2024-02-29T12:30:02Z"}]}}`,
		`{"status":{"conditions":[{"lastTransitionTime":"2024-02-29T12:30:02Z","status":"False","type":"PodScheduled"},null]},"spec":{"nodeName":null}}`,
		`{"spec":{"nodeName":"n\u0031"},"status":{"startTime":null}}`,
		`{"spec":{"containers":[null]},"status":{"containerStatuses":[` + status(end(1, 2), run(0)) + `]}}`,
		`{"spec":{"volumes":[{"name":"kube-api-access-x"},{"name":"v"}],"serviceAccountName":"s","nodeName":"n","containers":[{"name":"c","ports":[]}]}}`,
	}
	states := []string{"", waiting, run(5), end(3, 9), zero, zeroTime}
	for _, state := range states {
		for _, last := range []string{"", end(1, 2), run(1), zero} {
			s := status(state, last)
			all = append(all, pod(1, "", s), pod(1, s, ""), pod(2, s, s), pod(2, "", s), pod(1, status(end(2, 40), ""), s),
				pod(2, status(run(4), ""), s+","+status(end(7, 8), "")))
		}
	}
	return all
}

// checkPod compares ParsePod and PodHash with the results for the decoded pod.
func checkPod(t *testing.T, data []byte) {
	t.Helper()
	got, err := ParsePod(data)
	hash, hashErr := PodHash(data, nil)
	checkEncodedPod(t, data, got, err)
	var pod corev1.Pod
	tree, duplicates, treeErr := decode(data)
	if tree == nil || duplicates || treeErr != nil || json.Unmarshal(data, &pod) != nil {
		return
	}
	for _, err := range []error{err, hashErr} {
		var located *Error
		if errors.As(err, &located) && errors.Is(err, trace.ErrTooDeep) {
			return
		}
	}
	if err != nil {
		t.Fatalf("ParsePod: got the error %v, want none", err)
	}
	want := Pod{
		NodeName: pod.Spec.NodeName, Scheduled: scheduled(&pod), Lifecycle: observe(&pod),
		Head: Head{
			Namespace: pod.Namespace, Name: pod.Name, UID: string(pod.UID), ResourceVersion: pod.ResourceVersion,
			CreationTimestamp: unix(&pod.CreationTimestamp), DeletionTimestamp: unix(pod.DeletionTimestamp),
		},
		Started: unix(pod.Status.StartTime),
	}
	for _, o := range pod.OwnerReferences {
		want.Head.Owners = append(want.Head.Owners, OwnerReference{
			APIVersion: o.APIVersion, Kind: o.Kind, Name: o.Name, UID: string(o.UID), Controller: o.Controller != nil && *o.Controller,
		})
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Fatalf("ParsePod (-want +got):\n%s", diff)
	}
	const at = 1709209890
	if got, want := got.ObserveDeleted(at), observeDeleted(&pod, at); got != want {
		t.Fatalf("ObserveDeleted: got %v, want %v", got, want)
	}
	spec, _ := tree["spec"].(map[string]any)
	wantHash, wantErr := trace.HashPodSpec(spec)
	if hash != wantHash || (hashErr == nil) != (wantErr == nil) {
		t.Fatalf("PodHash: got %d, %v, want %d, %v", hash, hashErr, wantHash, wantErr)
	}
}

// checkEncodedPod compares the Pod of an Encoder with the result of ParsePod.
func checkEncodedPod(t *testing.T, data []byte, want Pod, wantErr error) {
	t.Helper()
	e := newEncoder(t, EncoderOptions{GVK: podGVK})
	if _, err := e.Encode(data); err != nil {
		if _, ok := e.Pod(); ok {
			t.Fatal("there is a pod after an error")
		}
		return
	}
	got, ok := e.Pod()
	if ok != (wantErr == nil) {
		t.Fatalf("Pod: got %t, but ParsePod: %v", ok, wantErr)
	}
	if diff := cmp.Diff(want, got); ok && diff != "" {
		t.Fatalf("Pod (-want +got):\n%s", diff)
	}
}

func unix(t *metav1.Time) int64 {
	if t.IsZero() {
		return 0
	}
	return t.Unix()
}

func scheduled(pod *corev1.Pod) (at int64) {
	for _, c := range pod.Status.Conditions {
		if c.Type == corev1.PodScheduled && c.Status == corev1.ConditionTrue {
			at = unix(&c.LastTransitionTime)
		}
	}
	return at
}

func TestParsePod(t *testing.T) {
	for _, data := range append(pods(), string(fixture(t, "pod.json"))) {
		if checkPod(t, []byte(data)); t.Failed() {
			t.Fatalf("of %s", data)
		}
	}
	got, err := ParsePod(fixture(t, "pod.json"))
	if err != nil {
		t.Fatal(err)
	}
	want := Pod{
		Head: got.Head, NodeName: "ip-10-0-31-7.eu-west-1.compute.internal", Scheduled: 1709209802, Started: 1709209803,
		Lifecycle: trace.Lifecycle{State: trace.Running, Start: 1709209804},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("the recorded pod (-want +got):\n%s", diff)
	}
}

func TestParsePod_Errors(t *testing.T) {
	for _, data := range []string{
		``, `{`, `[]`, `{"status":{"containerStatuses":{}}}`, `{"status":{"containerStatuses":[{"state":{"running":{"startedAt":"x"}}}]}}`,
		`{"spec":{"containers":[}}`, `{"status":{"startTime":5}}`, `{} {}`,
	} {
		var located *Error
		if _, err := ParsePod([]byte(data)); !errors.As(err, &located) {
			t.Errorf("%s: got the error %v, want an *Error", data, err)
		}
	}
}

func TestPodHash_Duplicates(t *testing.T) {
	want, err := PodHash([]byte(`{"spec":{"hostNetwork":true}}`), nil)
	if err != nil {
		t.Fatal(err)
	}
	if got, err := PodHash([]byte(`{"spec":{"containers":[]},"spec":{"hostNetwork":false,"hostNetwork":true}}`), nil); err != nil || got != want {
		t.Errorf("got %d, %v, want that of the last spec, %d", got, err, want)
	}
}

func TestPodHash_Errors(t *testing.T) {
	for _, data := range []string{
		``, `[]`, `{"spec":[]}`, `{"spec":{"volumes":{}}}`, `{"spec":{"containers":{}}}`, `{"spec":{"containers":[null]}}`,
		`{"spec":{"initContainers":[{"volumeMounts":1}]}}`, `{"spec":{}`, `{"spec":{}}}`,
	} {
		var located *Error
		if hash, err := PodHash([]byte(data), nil); !errors.As(err, &located) {
			t.Errorf("%s: got %d, %v, want an *Error", data, hash, err)
		}
	}
}

func FuzzParsePod(f *testing.F) {
	for _, data := range pods() {
		f.Add([]byte(data))
	}
	f.Add(fixture(f, "pod.json"))
	f.Fuzz(func(t *testing.T, data []byte) { checkPod(t, data) })
}

func TestParseSeconds(t *testing.T) {
	read := func(text string) (int64, bool) {
		s := scanner{data: []byte(`"` + text + `"`)}
		unix, ok, err := s.seconds()
		return unix, ok && err == nil
	}
	for _, text := range []string{
		"1970-01-01T00:00:00Z", "2000-02-29T23:59:59Z", "2100-02-28T00:00:00Z", "2024-12-31T12:00:00Z", "1969-12-31T23:59:59Z", "9999-12-31T23:59:59Z",
		"2024-02-30T00:00:00Z", "2023-02-29T00:00:00Z", "2024-04-31T00:00:00Z", "2024-13-01T00:00:00Z", "2024-00-01T00:00:00Z", "2024-01-00T00:00:00Z",
		"2024-01-01T24:00:00Z", "2024-01-01T00:60:00Z", "2024-01-01T00:00:60Z", "2024-01-01T00:00:00z", "2024-01-01 00:00:00Z", "2024-01-01T00:00:00.25Z",
		"2024-01-01T00:00:00+05:30", "20x4-01-01T00:00:00Z", "", "0001-01-01T00:00:00Z",
	} {
		want, err := time.Parse(time.RFC3339, text)
		got, ok := read(text)
		if ok != (err == nil && !want.IsZero()) || ok && got != want.Unix() {
			t.Errorf("%s: got %d, %t, want %d, %v", text, got, ok, want.Unix(), err)
		}
	}
	day := time.Date(1970, 1, 1, 1, 2, 3, 0, time.UTC)
	for ; day.Year() < 2110; day = day.AddDate(0, 0, 1) {
		if got, ok := read(day.Format(time.RFC3339)); !ok || got != day.Unix() {
			t.Fatalf("%s: got %d, %t, want %d", day, got, ok, day.Unix())
		}
	}
}
