package allowlist

import (
	"errors"
	"fmt"
	"path"
	"slices"
	"strings"
)

// Paths is a list of folders and files of nodes that may be mounted. The zero value allows none.
type Paths struct{ folders []string }

// ParsePaths parses a list of absolute paths of folders or files. Both "*" and "/" allow every
// file.
func ParsePaths(folders []string) (Paths, error) {
	var list Paths
	var wrong []error
	for _, folder := range folders {
		if folder == wildcard {
			folder = "/"
		}
		if !path.IsAbs(folder) || slices.Contains(strings.Split(folder, "/"), "..") || strings.Contains(folder, wildcard) {
			wrong = append(wrong, fmt.Errorf("%q: %w", folder, errPath))
		}
		list.folders = append(list.folders, path.Clean(folder))
	}
	return list, errors.Join(wrong...)
}

var errPath = errors.New("must be an absolute path without .., or * for all")

// Allows reports whether a file may be mounted. It does not resolve symbolic links, which only the
// node could.
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
