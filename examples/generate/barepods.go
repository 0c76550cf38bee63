package main

import (
	"fmt"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// barePods records pods without a controller: runners of a build system, people's notebooks and
// debug shells.
func barePods(r *recorder, seed uint64) {
	random := newRandom(seed, "bare pods")
	runner := task{"ci", "runner", "v2.320.0", "2", "4Gi", 11 * time.Minute, 0.5}
	for range 36 {
		at := random.between(7*time.Hour, 19*time.Hour)
		barePod(r, runner, "runner-"+random.suffix(5), at, random.around(runner.median, runner.spread), time.Minute)
	}
	notebook := task{"notebooks", "jupyter", "v4.3.1", "2", "8Gi", 5 * time.Hour, 0.3}
	for _, who := range []string{"alice", "bola", "chen", "dagny", "emeka"} {
		at := random.between(7*time.Hour+30*time.Minute, 11*time.Hour)
		barePod(r, notebook, "jupyter-"+who, at, random.around(notebook.median, notebook.spread), 0)
	}
	shell := task{"platform", "debug", "v1.37", "100m", "64Mi", 12 * time.Minute, 0.6}
	for i := range 4 {
		at := random.between(13*time.Hour, 17*time.Hour)
		barePod(r, shell, fmt.Sprintf("debug-%d", i+1), at, random.around(shell.median, shell.spread), 0)
	}
}

// barePod records one pod: it runs for a while, and is deleted some time after it has ended.
func barePod(r *recorder, t task, name string, at, runs, stays time.Duration) {
	pod := &corev1.Pod{
		TypeMeta:   typeMeta(kindPod),
		ObjectMeta: metav1.ObjectMeta{Namespace: t.namespace, Name: name, Labels: labelsOf(t.name)},
		Spec:       t.podSpec(),
	}
	r.apply(at, pod)
	from := at + 3*time.Second
	r.recordRun(kindPod, pod, &pod.Spec, from, from+runs)
	r.remove(from+runs+stays, pod)
}
