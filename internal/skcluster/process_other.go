//go:build !unix

package skcluster

import (
	"os"
	"os/exec"
)

func ownSession(*exec.Cmd) {}

func dump(p *os.Process) error { return p.Kill() }

func terminate(pid int) error {
	p, err := os.FindProcess(pid)
	if err != nil {
		return err
	}
	return p.Kill()
}

func tryLock(*os.File) (bool, error) { return true, nil }

func usageOf(*os.ProcessState) Usage { return Usage{} }
