//go:build !linux

package devstack

import "syscall"

// processAttributes puts a child into a process group of its own. Only Linux
// can signal the child when its parent dies.
func processAttributes(_ syscall.Signal, user *syscall.Credential) *syscall.SysProcAttr {
	return &syscall.SysProcAttr{Setpgid: true, Credential: user}
}
