//go:build unix && !linux

package main

import "syscall"

// bound puts a program into a process group of its own. Only Linux can kill it when this one ends.
func bound() *syscall.SysProcAttr { return &syscall.SysProcAttr{Setpgid: true} }
