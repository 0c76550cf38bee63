package allowlist

import (
	"errors"
	"fmt"
	"path"
	"slices"
	"strings"
)

// Paths are folders of nodes, and what is in them may be mounted. The zero value allows nothing.
type Paths struct{ folders []string }

// ParsePaths reads a list of absolute paths of folders, or of single files. An asterisk, and a
// slash alone, allow every file.
func ParsePaths(folders []string) (Paths, error) {
	var list Paths
	var wrong []error
	for _, folder := range folders {
		if folder == everything {
			folder = "/"
		}
		if !path.IsAbs(folder) || slices.Contains(strings.Split(folder, "/"), "..") || strings.Contains(folder, everything) {
			wrong = append(wrong, fmt.Errorf("%q: %w", folder, errPath))
		}
		list.folders = append(list.folders, path.Clean(folder))
	}
	return list, errors.Join(wrong...)
}

var errPath = errors.New("must be an absolute path without .., or * for all")

// Allows reports whether a file may be mounted. It looks at the path alone: what a symbolic link on
// a node leads to is known to the node only.
func (l Paths) Allows(file string) bool {
	if !path.IsAbs(file) {
		return false
	}
	file = path.Clean(file)
	return slices.ContainsFunc(l.folders, func(folder string) bool {
		return file == folder || strings.HasPrefix(file, strings.TrimSuffix(folder, "/")+"/")
	})
}

// String returns the folders, and "none" if there are none.
func (l Paths) String() string {
	if len(l.folders) == 0 {
		return "none"
	}
	return strings.Join(l.folders, ", ")
}
