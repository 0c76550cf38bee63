package main

import (
	"slices"
	"strconv"
	"strings"
	"time"

	batchv1 "k8s.io/api/batch/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// task is work that ends: a container and its typical run time.
type task struct {
	namespace, name, tag string
	cpu, memory          string
	median               time.Duration
	spread               float64
}

// cron is a task with a schedule, of which minute and hour are used.
type cron struct {
	task
	schedule string
}

var crons = []cron{
	{task{"storefront", "cart-cleanup", "v1.0.3", "250m", "256Mi", 45 * time.Second, 0.3}, "*/10 * * * *"},
	{task{"storefront", "sitemap", "v0.8.0", "500m", "1Gi", 4 * time.Minute, 0.2}, "0 */6 * * *"},
	{task{"search", "synonyms-sync", "v1.1.1", "250m", "512Mi", 80 * time.Second, 0.4}, "5 * * * *"},
	{task{"search", "full-reindex", "v7.1.3", "4", "8Gi", 70 * time.Minute, 0.15}, "30 2 * * *"},
	{task{"payments", "reconcile", "v2.5.2", "1", "2Gi", 9 * time.Minute, 0.35}, "15 * * * *"},
	{task{"payments", "settlement", "v2.5.2", "2", "4Gi", 35 * time.Minute, 0.2}, "0 4 * * *"},
	{task{"identity", "token-expiry", "v8.2.1", "100m", "128Mi", 20 * time.Second, 0.3}, "*/15 * * * *"},
	{task{"messaging", "newsletter", "v2.13.0", "1", "1Gi", 25 * time.Minute, 0.25}, "0 7,17 * * *"},
	{task{"logistics", "stock-import", "v1.7.1", "1", "2Gi", 6 * time.Minute, 0.4}, "*/30 * * * *"},
	{task{"analytics", "hourly-rollup", "v3.2.0", "2", "8Gi", 13 * time.Minute, 0.3}, "10 * * * *"},
	{task{"analytics", "daily-report", "v3.2.0", "4", "16Gi", 50 * time.Minute, 0.2}, "0 5 * * *"},
	{task{"platform", "backup", "v0.9.2", "1", "1Gi", 18 * time.Minute, 0.25}, "30 */4 * * *"},
}

// cronJobs records the CronJobs, which do not change, and when their pods ran.
func cronJobs(r *recorder, seed uint64) {
	for _, c := range crons {
		spec := c.podSpec()
		object := &batchv1.CronJob{
			TypeMeta:   typeMeta(kindCronJob),
			ObjectMeta: metav1.ObjectMeta{Namespace: c.namespace, Name: c.name, Labels: labelsOf(c.name)},
			Spec: batchv1.CronJobSpec{
				Schedule:          c.schedule,
				TimeZone:          new("Etc/UTC"),
				ConcurrencyPolicy: batchv1.ForbidConcurrent,
				JobTemplate: batchv1.JobTemplateSpec{Spec: batchv1.JobSpec{
					BackoffLimit: new(int32(3)),
					Template:     corev1.PodTemplateSpec{ObjectMeta: metav1.ObjectMeta{Labels: labelsOf(c.name)}, Spec: spec},
				}},
			},
		}
		r.apply(0, object)
		random := newRandom(seed, "cronjob "+c.name)
		for _, due := range times(c.schedule) {
			from := due + random.between(2*time.Second, 8*time.Second)
			r.recordRun(kindCronJob, object, &spec, from, from+random.around(c.median, c.spread))
		}
	}
}

func (t task) podSpec() corev1.PodSpec {
	return corev1.PodSpec{
		RestartPolicy: corev1.RestartPolicyNever,
		Containers: []corev1.Container{{
			Name:      t.name,
			Image:     image(t.namespace, t.name, t.tag),
			Args:      []string{"run", "--once"},
			Resources: requests(t.cpu, t.memory),
		}},
	}
}

// times returns the times of day of a schedule. The last three of its five fields must be *.
func times(schedule string) []time.Duration {
	fields := strings.Fields(schedule)
	var out []time.Duration
	for hour := range 24 {
		for minute := range 60 {
			if matches(fields[0], minute) && matches(fields[1], hour) {
				out = append(out, time.Duration(hour)*time.Hour+time.Duration(minute)*time.Minute)
			}
		}
	}
	return out
}

// matches reports whether a field matches a value. It supports *, */n, and lists of numbers.
func matches(field string, value int) bool {
	if field == "*" {
		return true
	}
	if step, ok := strings.CutPrefix(field, "*/"); ok {
		n, err := strconv.Atoi(step)
		return err == nil && value%n == 0
	}
	return slices.Contains(strings.Split(field, ","), strconv.Itoa(value))
}
