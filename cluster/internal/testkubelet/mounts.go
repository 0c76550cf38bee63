package testkubelet

import (
	"cmp"
	"fmt"
	"path"
	"path/filepath"
	"slices"
	"strings"

	corev1 "k8s.io/api/core/v1"
)

// mount is a path in a container, and where it is on this machine.
type mount struct{ path, here string }

// mounts are the mounts of a container, the longest paths first.
type mounts []mount

func mountsOf(spec *corev1.Container, volumes map[string]string) (mounts, error) {
	var all mounts
	for _, m := range spec.VolumeMounts {
		here, ok := volumes[m.Name]
		if !ok {
			return nil, fmt.Errorf("the pod has no volume %q", m.Name)
		}
		all = append(all, mount{path: path.Clean(m.MountPath), here: filepath.Join(here, m.SubPath)})
	}
	slices.SortFunc(all, func(a, b mount) int { return cmp.Compare(len(b.path), len(a.path)) })
	return all, nil
}

// Characters around a path in an argument. A slash ends a path, too, since something below it may
// follow.
const (
	before = "= \t\n\"'`:,;<>|&()"
	after  = before + "/"
)

// rewrite replaces the paths in text: whole ones, and those in flags, lists, file URLs and scripts.
func (m mounts) rewrite(text string) string {
	var out strings.Builder
	for i := 0; i < len(text); {
		if to, length := m.at(text, i); length > 0 {
			out.WriteString(to)
			i += length
			continue
		}
		out.WriteByte(text[i])
		i++
	}
	return out.String()
}

// at returns the mount whose path is in text at i, and the length of that path.
func (m mounts) at(text string, i int) (to string, length int) {
	if text[i] != '/' || i > 0 && !strings.ContainsRune(before, rune(text[i-1])) && !strings.HasSuffix(text[:i], "file://") {
		return "", 0
	}
	for _, mount := range m {
		rest, found := strings.CutPrefix(text[i:], mount.path)
		if found && (rest == "" || strings.ContainsRune(after, rune(rest[0]))) {
			return mount.here, len(mount.path)
		}
	}
	return "", 0
}
