package devstack

import "syscall"

// processAttributes puts a child into a process group of its own, so that
// Ctrl-C in the terminal reaches only the supervisor, and has the kernel send
// it the signal when the supervisor dies, even by SIGKILL.
func processAttributes(parentDeath syscall.Signal, user *syscall.Credential) *syscall.SysProcAttr {
	return &syscall.SysProcAttr{Setpgid: true, Pdeathsig: parentDeath, Credential: user}
}
