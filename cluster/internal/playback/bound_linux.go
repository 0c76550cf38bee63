package main

import "syscall"

// bound has a program killed when this one ends, and puts it into a process group of its own.
func bound() *syscall.SysProcAttr {
	return &syscall.SysProcAttr{Setpgid: true, Pdeathsig: syscall.SIGKILL}
}
