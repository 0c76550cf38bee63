package main

import "syscall"

// bound has a program die with this one, in a group of processes of its own.
func bound() *syscall.SysProcAttr {
	return &syscall.SysProcAttr{Setpgid: true, Pdeathsig: syscall.SIGKILL}
}
