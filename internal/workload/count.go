package workload

import (
	"strings"

	"simkube.io/simkube/trace"
)

// count is what the objects around a pod template say about the number of its pods.
type count struct {
	replicas    int
	counted     bool
	completions int
	suspended   bool
	scheduled   bool
}

// numberKeys are the names of fields with the number of pods of the templates beside or below them,
// the most common first.
var numberKeys = []string{"replicas", "instances", "count", "size", "numWorkers"}

// countPods returns what the objects around the template at a pointer say, the nearest first: a
// number of replicas, or the parallelism of a Job's template, of which an object further out may
// say how many there are. Any of them may be suspended, or have a schedule.
func countPods(obj map[string]any, pointer string) count {
	c := count{replicas: 1}
	var jobs bool // the number so far is that of each Job
	for p := pointer; p != ""; {
		p = p[:strings.LastIndexByte(p, '/')]
		around := at(obj, p)
		if around == nil {
			continue // a list
		}
		c.suspended = c.suspended || suspended(around)
		c.scheduled = c.scheduled || scheduled(around)
		if c.counted && !jobs {
			continue
		}
		if n, ok := number(around); ok {
			c.replicas, c.completions, c.counted, jobs = min(maxReplicas, c.replicas*n), c.completions*n, true, false
			continue
		}
		_, parallel := integer(around["parallelism"])
		_, complete := integer(around["completions"])
		if !c.counted && (parallel || complete) {
			c.replicas, c.completions = jobPods(withoutSuspend(around))
			c.counted, jobs = true, true
		}
	}
	return c
}

// number returns the number of pods that an object has in a field of its own, within its bounds.
func number(around map[string]any) (int, bool) {
	n, found := 0, false
	for _, key := range numberKeys {
		if n, found = integer(around[key]); found {
			break
		}
	}
	if least, ok := integer(around["minReplicas"]); ok {
		n, found = max(n, least), true
	}
	if most, ok := integer(around["maxReplicas"]); ok && found {
		n = min(n, most)
	}
	return n, found
}

func suspended(around map[string]any) bool {
	if suspend, _ := around["suspend"].(bool); suspend {
		return true
	}
	policy, _ := around["runPolicy"].(map[string]any)
	suspend, _ := policy["suspend"].(bool)
	return suspend
}

func scheduled(around map[string]any) bool {
	if schedule, _ := around["schedule"].(string); schedule != "" {
		return true
	}
	schedules, _ := around["schedules"].([]any)
	return len(schedules) > 0
}

func withoutSuspend(job map[string]any) map[string]any {
	return map[string]any{"parallelism": job["parallelism"], "completions": job["completions"]}
}

// parent returns the map that contains the value at a pointer, or nil.
func parent(obj map[string]any, pointer string) map[string]any {
	end := strings.LastIndexByte(pointer, '/')
	if end < 0 {
		return nil
	}
	return at(obj, pointer[:end])
}

// at returns the map at a pointer, or nil.
func at(obj map[string]any, pointer string) map[string]any {
	locations, err := trace.ResolvePaths(obj, pointer)
	if err != nil || len(locations) != 1 {
		return nil
	}
	value, _ := locations[0].Value.(map[string]any)
	return value
}

// maxReplicas limits numbers of pods, so that sums do not overflow.
const maxReplicas = 10_000_000

func integer(v any) (int, bool) {
	var n int64
	switch v := v.(type) {
	case int64:
		n = v
	case float64:
		n = int64(max(min(v, maxReplicas), 0))
	default:
		return 0, false
	}
	return int(max(min(n, maxReplicas), 0)), true
}
