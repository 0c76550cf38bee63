package main

import (
	"slices"
	"time"

	batchv1 "k8s.io/api/batch/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// job is a task that is started once.
type job struct {
	task
	at                time.Duration
	pods, parallelism int
	place             placement
}

// burst is a Job that needs many nodes: 200 pods at once.
var burst = job{
	task{"analytics", "customer-cohorts-q1", "v3.2.0", "750m", "2Gi", 32 * time.Minute, 0.25},
	14*time.Hour + 1*time.Second, 200, 200, tolerateBatch,
}

var jobs = []job{
	burst,
	{task{"analytics", "warehouse-load-0310", "v3.2.0", "2", "4Gi", 16 * time.Minute, 0.3}, 1*time.Hour + 10*time.Minute, 24, 12, tolerateBatch},
	{task{"analytics", "attribution-0309", "v3.2.0", "1", "2Gi", 11 * time.Minute, 0.4}, 3 * time.Hour, 16, 8, tolerateBatch},
	{task{"recommendations", "train-ranker-0310", "v2.30.1", "8", "16Gi", 95 * time.Minute, 0.1}, 2*time.Hour + 45*time.Minute, 4, 4, tolerateBatch},
	{task{"recommendations", "embed-new-products", "v1.6.0", "2", "4Gi", 14 * time.Minute, 0.3}, 6*time.Hour + 20*time.Minute, 12, 6, tolerateBatch},
	{task{"recommendations", "evaluate-2-31", "v2.31.0", "2", "4Gi", 22 * time.Minute, 0.2}, 10*time.Hour + 40*time.Minute, 6, 6, tolerateBatch},
	{task{"logistics", "route-precompute", "v0.12.0", "2", "2Gi", 18 * time.Minute, 0.3}, 4*time.Hour + 30*time.Minute, 20, 10, tolerateBatch},
	{task{"logistics", "orders-migrate-55", "v5.5.0", "500m", "512Mi", 3 * time.Minute, 0.2}, 9*time.Hour + 5*time.Minute, 1, 1, tolerateBatch},
	{task{"payments", "ledger-migrate-252", "v2.5.2", "500m", "512Mi", 5 * time.Minute, 0.2}, 11*time.Hour + 15*time.Minute, 1, 1, tolerateBatch},
	{task{"media", "transcode-campaign", "v0.4.2", "4", "4Gi", 12 * time.Minute, 0.5}, 9*time.Hour + 30*time.Minute, 30, 10, tolerateBatch},
	{task{"media", "rebuild-thumbnails", "v1.5.5", "1", "1Gi", 7 * time.Minute, 0.4}, 22*time.Hour + 15*time.Minute, 40, 15, tolerateBatch},
	{task{"storefront", "price-import-spring", "v1.19.4", "1", "2Gi", 8 * time.Minute, 0.3}, 12*time.Hour + 50*time.Minute, 8, 4, tolerateBatch},
	{task{"support", "export-tickets", "v9.0.3", "500m", "1Gi", 6 * time.Minute, 0.3}, 15*time.Hour + 35*time.Minute, 2, 1, tolerateBatch},
	{task{"analytics", "churn-model", "v3.2.0", "4", "16Gi", 48 * time.Minute, 0.2}, 18*time.Hour + 10*time.Minute, 8, 4, tolerateBatch},
}

// deleteJobAfter is how long a finished Job is kept.
const deleteJobAfter = 40 * time.Minute

// batch records the Jobs, when each of their pods ran, and their removal.
func batch(r *recorder, seed uint64) {
	for _, j := range jobs {
		runJob(r, j, deleteJobAfter, newRandom(seed, "job "+j.name))
	}
}

// runJob records one Job, which is deleted some time after its last pod has ended.
func runJob(r *recorder, j job, stays time.Duration, random *random) {
	spec := j.podSpec()
	if j.place != nil {
		j.place(service{}, &spec)
	}
	object := &batchv1.Job{
		TypeMeta:   typeMeta(kindJob),
		ObjectMeta: metav1.ObjectMeta{Namespace: j.namespace, Name: j.name, Labels: labelsOf(j.name)},
		Spec: batchv1.JobSpec{
			Parallelism:  new(int32(j.parallelism)),
			Completions:  new(int32(j.pods)),
			BackoffLimit: new(int32(6)),
			Template:     corev1.PodTemplateSpec{ObjectMeta: metav1.ObjectMeta{Labels: labelsOf(j.name)}, Spec: spec},
		},
	}
	r.apply(j.at, object)
	// As many concurrent pods as the Job allows: each one starts when another has ended.
	free := make([]time.Duration, j.parallelism)
	for i := range free {
		free[i] = j.at
	}
	for range j.pods {
		first := slices.Index(free, slices.Min(free))
		from := free[first] + random.between(2*time.Second, 12*time.Second)
		free[first] = from + random.around(j.median, j.spread)
		r.recordRun(kindJob, object, &spec, from, free[first])
	}
	r.remove(slices.Max(free)+stays, object)
}
