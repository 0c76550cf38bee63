package scratch

import (
	"os"
	"path/filepath"
	"strings"
	"time"
)

// What the names of folders and files begin with.
const (
	// RunPrefix begins the names of what skctl needs for a while, in the folder for temporary
	// files.
	RunPrefix = "skctl-"
	// BesidePrefix begins the names of what it makes beside a file that it is going to write.
	BesidePrefix = ".skctl-"
	// DataPrefix begins the names of the folders that hold a control plane's data.
	DataPrefix = "simkube-"
	// LogPrefix begins the names of the logs that failed runs leave on purpose. They are files.
	LogPrefix = "simkube-log-"
)

// KeepLogs is how long the log of a failed run is left for its user.
const KeepLogs = 7 * 24 * time.Hour

// memoryDir is Linux's file system in memory that everybody may write to.
const memoryDir = "/dev/shm"

// DataParent returns where control planes keep their data: in memory where there is room for it,
// and else in the system's folder for temporary files.
func DataParent() string {
	if canWrite(memoryDir) {
		return memoryDir
	}
	return os.TempDir()
}

// SweepRuns removes what runs have left that were killed: their folders, the data of their control
// planes, and logs that are older than KeepLogs at the time now. It leaves alone what belongs to a
// process that lives.
func SweepRuns(now time.Time) {
	Sweep("", RunPrefix)
	Sweep(DataParent(), DataPrefix)
	sweepLogs(os.TempDir(), now)
}

func sweepLogs(dir string, now time.Time) {
	entries, _ := os.ReadDir(dir) // what could be read
	for _, entry := range entries {
		if !strings.HasPrefix(entry.Name(), LogPrefix) || !entry.Type().IsRegular() {
			continue
		}
		if info, err := entry.Info(); err == nil && now.Sub(info.ModTime()) > KeepLogs {
			_ = os.Remove(filepath.Join(dir, entry.Name())) // one of another user's stays
		}
	}
}
