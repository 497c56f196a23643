//go:build !linux

package lab

import "sock/rawtcp/trace"

// newOnKernel is not reached: onkernel.AsRoot has said that it cannot be.
func newOnKernel(*Lab, *Kernel, uint64, trace.Sink) (stage, error) { panic("no such kernel") }
