package trace

import (
	"os"
	"syscall"
)

// syncFileRangeWrite is SYNC_FILE_RANGE_WRITE of sync_file_range(2): start writing dirty pages
// without waiting.
const syncFileRangeWrite = 2

// startWriteback asks the system to start writing a part of a file to disk while more of it is
// produced, so that the final sync is shorter. It is only an optimization, so errors are ignored.
func startWriteback(f *os.File, from, to int64) {
	raw, err := f.SyscallConn()
	if err != nil {
		return
	}
	_ = raw.Control(func(fd uintptr) { _ = syscall.SyncFileRange(int(fd), from, to-from, syncFileRangeWrite) })
}
