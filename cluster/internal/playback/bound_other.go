//go:build unix && !linux

package main

import "syscall"

// bound puts a program into a group of processes of its own. Only Linux lets it die with this one.
func bound() *syscall.SysProcAttr { return &syscall.SysProcAttr{Setpgid: true} }
