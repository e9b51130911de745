//go:build !unix

package mip

import "os/exec"

// isolate does nothing where process groups differ.
func isolate(*exec.Cmd) {}

// kill ends the child.
func kill(cmd *exec.Cmd) {
	_ = cmd.Process.Kill() // already gone is what we want
}
