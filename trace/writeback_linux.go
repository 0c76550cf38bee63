package trace

import (
	"os"
	"syscall"
)

// syncFileRangeWrite is SYNC_FILE_RANGE_WRITE of sync_file_range(2): begin to write what is not being written yet, and wait for nothing.
const syncFileRangeWrite = 2

// startWriteback has the system put a part of a file on disk while more of it is made, so that there is less left to wait for in the end. It promises
// nothing; whether it worked does not matter.
func startWriteback(f *os.File, from, to int64) {
	raw, err := f.SyscallConn()
	if err != nil {
		return
	}
	_ = raw.Control(func(fd uintptr) { _ = syscall.SyncFileRange(int(fd), from, to-from, syncFileRangeWrite) })
}
