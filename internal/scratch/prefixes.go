package scratch

import (
	"os"
	"path/filepath"
	"strings"
	"time"
)

// The prefixes of the names of folders and files.
const (
	// RunPrefix is the prefix of skctl's folders in the folder for temporary files.
	RunPrefix = "skctl-"
	// SiblingPrefix is the prefix of what skctl creates beside a file that it is going to write.
	SiblingPrefix = ".skctl-"
	// DataPrefix is the prefix of the folders that hold a control plane's data.
	DataPrefix = "simkube-"
	// LogPrefix is the prefix of the logs that are kept after a failed run. They are files.
	LogPrefix = "simkube-log-"
)

// KeepLogs is how long the log of a failed run is kept.
const KeepLogs = 7 * 24 * time.Hour

// memoryDir is Linux's world-writable in-memory file system.
const memoryDir = "/dev/shm"

// DataParent returns the folder for control planes' data: in memory if this process may write
// there, and otherwise the system's folder for temporary files.
func DataParent() string {
	if canWrite(memoryDir) {
		return memoryDir
	}
	return os.TempDir()
}

// SweepRuns removes what killed runs have left: their folders, the data of their control planes,
// and logs that are older than KeepLogs at the time now. It keeps what belongs to a running
// process.
func SweepRuns(now time.Time) {
	Sweep("", RunPrefix)
	Sweep(DataParent(), DataPrefix)
	sweepLogs(os.TempDir(), now)
}

func sweepLogs(dir string, now time.Time) {
	entries, _ := os.ReadDir(dir) // as far as it could be read
	for _, entry := range entries {
		if !strings.HasPrefix(entry.Name(), LogPrefix) || !entry.Type().IsRegular() {
			continue
		}
		if info, err := entry.Info(); err == nil && now.Sub(info.ModTime()) > KeepLogs {
			_ = os.Remove(filepath.Join(dir, entry.Name())) // files of other users stay
		}
	}
}
