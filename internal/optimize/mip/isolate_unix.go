//go:build unix

package mip

import (
	"os/exec"
	"syscall"
)

// isolate puts the child into a process group of its own, so that an
// interrupt typed at the terminal reaches this process only.
func isolate(cmd *exec.Cmd) { cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true} }

// kill ends the child's process group.
func kill(cmd *exec.Cmd) {
	_ = syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL) // already gone is what we want
}
