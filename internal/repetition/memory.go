package repetition

import (
	"bufio"
	"bytes"
	"io/fs"
	"os"
	"path"
	"strconv"
	"strings"
)

// MemoryAvailable returns how many more bytes this process and its children can use: the available
// memory of the machine or the limit of the control groups they are in, whichever is less. It
// returns false if that is not known; it is only known on Linux.
func MemoryAvailable() (int64, bool) { return memoryAvailable(os.DirFS("/")) }

func memoryAvailable(root fs.FS) (int64, bool) {
	available, known := machineMemory(root)
	for _, group := range memoryGroups(root) {
		if left, limited := group.left(root); limited && (!known || left < available) {
			available, known = left, true
		}
	}
	return max(available, 0), known
}

// machineMemory returns MemAvailable, which includes what the kernel can reclaim from its caches.
func machineMemory(root fs.FS) (int64, bool) {
	kilobytes, ok := field(root, "proc/meminfo", "MemAvailable:")
	return kilobytes << 10, ok
}

// field returns the number after the word name at the beginning of a line.
func field(root fs.FS, file, name string) (int64, bool) {
	data, err := fs.ReadFile(root, file)
	if err != nil {
		return 0, false
	}
	lines := bufio.NewScanner(bytes.NewReader(data))
	for lines.Scan() {
		words := strings.Fields(lines.Text())
		if len(words) < 2 || words[0] != name {
			continue
		}
		n, err := strconv.ParseInt(words[1], 10, 64)
		return n, err == nil
	}
	return 0, false
}

// memoryGroup is a control group that may limit memory.
type memoryGroup struct {
	dir                       string
	limit, usage, reclaimable string // names of files, and of a line in memory.stat
}

// left returns the limit minus what is used, without file caches, which are reclaimed if memory is
// short. It returns false if there is no limit.
func (g memoryGroup) left(root fs.FS) (int64, bool) {
	limit, ok := number(root, path.Join(g.dir, g.limit))
	if !ok { // "max", or no such file
		return 0, false
	}
	usage, ok := number(root, path.Join(g.dir, g.usage))
	if !ok {
		return 0, false
	}
	if cache, ok := field(root, path.Join(g.dir, "memory.stat"), g.reclaimable); ok {
		usage -= min(cache, usage)
	}
	return limit - usage, true
}

func number(root fs.FS, file string) (int64, bool) {
	data, err := fs.ReadFile(root, file)
	if err != nil {
		return 0, false
	}
	n, err := strconv.ParseInt(strings.TrimSpace(string(data)), 10, 64)
	return n, err == nil
}

// memoryGroups returns the control groups this process is in, with their parents: any of them may
// have a limit. In a container the paths may be those of the host, which do not exist here; the
// limit of the container is then at the top.
func memoryGroups(root fs.FS) []memoryGroup {
	data, err := fs.ReadFile(root, "proc/self/cgroup")
	if err != nil {
		return nil
	}
	var out []memoryGroup
	for line := range strings.Lines(string(data)) {
		parts := strings.SplitN(strings.TrimSpace(line), ":", 3) // number, controllers, path
		if len(parts) < 3 {
			continue
		}
		group := memoryGroup{limit: "memory.max", usage: "memory.current", reclaimable: "inactive_file"}
		mount := "sys/fs/cgroup"
		if parts[1] != "" { // version 1, with a hierarchy for each controller
			if !strings.Contains(","+parts[1]+",", ",memory,") {
				continue
			}
			group = memoryGroup{limit: "memory.limit_in_bytes", usage: "memory.usage_in_bytes", reclaimable: "total_inactive_file"}
			mount = "sys/fs/cgroup/memory"
		}
		for at := path.Clean("/" + parts[2]); ; at = path.Dir(at) {
			group.dir = path.Join(mount, at)
			out = append(out, group)
			if at == "/" {
				break
			}
		}
	}
	return out
}
