//go:build !linux

package testkubelet

import "syscall"

// dieWithParent does nothing: on this system processes remain when a test is killed.
func dieWithParent(*syscall.SysProcAttr) {}
