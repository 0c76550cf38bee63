//go:build !linux

package testkubelet

import "syscall"

// dieWithParent does nothing: elsewhere processes are left when a test is killed.
func dieWithParent(*syscall.SysProcAttr) {}
