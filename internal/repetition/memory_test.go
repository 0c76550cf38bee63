package repetition

import (
	"testing"
	"testing/fstest"
)

func TestMemoryAvailable(t *testing.T) {
	// 20 GiB are available.
	const meminfo = "MemTotal:       32884356 kB\nMemFree:         1000000 kB\nMemAvailable:   20971520 kB\n"
	for name, tc := range map[string]struct {
		files map[string]string
		want  int64 // below 0: not known
	}{
		"not Linux":    {nil, -1},
		"no groups":    {map[string]string{"proc/meminfo": meminfo}, 20 * gib},
		"nonsense":     {map[string]string{"proc/meminfo": "MemAvailable: lots kB\n"}, -1},
		"cut off":      {map[string]string{"proc/meminfo": "MemAvailable:"}, -1},
		"no limit, v2": {map[string]string{"proc/meminfo": meminfo, "proc/self/cgroup": "0::/\n", "sys/fs/cgroup/memory.max": "max\n"}, 20 * gib},
		"limit, v2": {map[string]string{
			"proc/meminfo": meminfo, "proc/self/cgroup": "0::/user.slice/me.scope\n",
			"sys/fs/cgroup/user.slice/me.scope/memory.max":     "4294967296\n",
			"sys/fs/cgroup/user.slice/me.scope/memory.current": "1073741824\n",
		}, 3 * gib},
		"file caches do not count": {map[string]string{
			"proc/meminfo": meminfo, "proc/self/cgroup": "0::/a\n",
			"sys/fs/cgroup/a/memory.max":     "4294967296\n",
			"sys/fs/cgroup/a/memory.current": "4294967296\n",
			"sys/fs/cgroup/a/memory.stat":    "anon 5\ninactive_file 2147483648\nactive_file 7\n",
		}, 2 * gib},
		"limit further up": {map[string]string{
			"proc/meminfo": meminfo, "proc/self/cgroup": "0::/a/b\n",
			"sys/fs/cgroup/a/memory.max": "2147483648\n", "sys/fs/cgroup/a/memory.current": "1073741824\n",
			"sys/fs/cgroup/a/b/memory.max": "max\n", "sys/fs/cgroup/a/b/memory.current": "1\n",
		}, gib},
		"container that knows only outer paths": {map[string]string{
			"proc/meminfo": meminfo, "proc/self/cgroup": "0::/../../kubepods/pod1\n",
			"sys/fs/cgroup/memory.max": "1073741824\n", "sys/fs/cgroup/memory.current": "0\n",
		}, gib},
		"limit, v1": {map[string]string{
			"proc/meminfo": meminfo, "proc/self/cgroup": "9:name=systemd:/\n5:cpu,cpuacct:/\n4:memory:/docker/1\n0::/\n",
			"sys/fs/cgroup/memory/docker/1/memory.limit_in_bytes": "3221225472\n",
			"sys/fs/cgroup/memory/docker/1/memory.usage_in_bytes": "2147483648\n",
			"sys/fs/cgroup/memory/docker/1/memory.stat":           "inactive_file 1\ntotal_inactive_file 1073741824\n",
			"sys/fs/cgroup/memory/memory.limit_in_bytes":          "9223372036854771712\n",
			"sys/fs/cgroup/memory/memory.usage_in_bytes":          "23\n",
		}, 2 * gib},
		"limit above what the machine has": {map[string]string{
			"proc/meminfo": meminfo, "proc/self/cgroup": "0::/\n",
			"sys/fs/cgroup/memory.max": "99999999999999\n", "sys/fs/cgroup/memory.current": "0\n",
		}, 20 * gib},
		"over the limit": {map[string]string{
			"proc/meminfo": meminfo, "proc/self/cgroup": "0::/\n",
			"sys/fs/cgroup/memory.max": "100\n", "sys/fs/cgroup/memory.current": "200\n",
		}, 0},
	} {
		t.Run(name, func(t *testing.T) {
			root := fstest.MapFS{}
			for file, text := range tc.files {
				root[file] = &fstest.MapFile{Data: []byte(text)}
			}
			got, known := memoryAvailable(root)
			if known != (tc.want >= 0) || known && got != tc.want {
				t.Errorf("got %d, known %t, want %d", got, known, tc.want)
			}
		})
	}
}

// The real machine has some memory left, or it is not known.
func TestMemoryAvailable_Here(t *testing.T) {
	got, known := MemoryAvailable()
	t.Logf("%d MiB, known: %t", got>>20, known)
	if known && (got < mib || got > 1<<50) {
		t.Errorf("%d bytes are available, which cannot be", got)
	}
}
