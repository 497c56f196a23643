package rawip

import (
	"golang.org/x/net/bpf"
)

// whole accepts a packet, all of it.
const whole = 1 << 18

// manyPorts is how many ports a filter tells apart. A jump of classic BPF can be
// that long, and the kernel runs through all of them for each segment.
const manyPorts = 64

// nothing accepts no packet.
func nothing() []bpf.Instruction { return []bpf.Instruction{bpf.RetConstant{}} }

// segments accepts the TCP segments to some ports, which are sorted; if they are
// too many, also those in between. What a raw socket filters begins with the IP
// header if it is of IPv4, and behind it if it is of IPv6.
func segments(is4 bool, ports []uint16) []bpf.Instruction {
	if len(ports) == 0 {
		return nothing()
	}
	var p []bpf.Instruction
	if is4 {
		p = append(p, bpf.LoadMemShift{}, bpf.LoadIndirect{Off: 2, Size: 2})
	} else {
		p = append(p, bpf.LoadAbsolute{Off: 2, Size: 2})
	}
	if len(ports) > manyPorts {
		first, last := uint32(ports[0]), uint32(ports[len(ports)-1])
		return append(
			p,
			bpf.JumpIf{Cond: bpf.JumpLessThan, Val: first, SkipTrue: 2},
			bpf.JumpIf{Cond: bpf.JumpGreaterThan, Val: last, SkipTrue: 1},
			bpf.RetConstant{Val: whole},
			bpf.RetConstant{},
		)
	}
	for i, port := range ports {
		p = append(p, bpf.JumpIf{Cond: bpf.JumpEqual, Val: uint32(port), SkipTrue: uint8(len(ports) - i)})
	}
	return append(p, bpf.RetConstant{}, bpf.RetConstant{Val: whole})
}

// complaints accepts the ICMP errors that quote TCP segments. What is filtered
// begins as for segments.
func complaints(is4 bool) []bpf.Instruction {
	const tcp = 6
	if is4 {
		// Unreachable, source quench, time exceeded, parameter problem. The
		// protocol is byte 9 of the packet quoted behind 8 bytes.
		return []bpf.Instruction{
			bpf.LoadMemShift{},
			bpf.LoadIndirect{Off: 0, Size: 1},
			bpf.JumpIf{Cond: bpf.JumpEqual, Val: 3, SkipTrue: 3},
			bpf.JumpIf{Cond: bpf.JumpEqual, Val: 4, SkipTrue: 2},
			bpf.JumpIf{Cond: bpf.JumpEqual, Val: 11, SkipTrue: 1},
			bpf.JumpIf{Cond: bpf.JumpNotEqual, Val: 12, SkipTrue: 3},
			bpf.LoadIndirect{Off: 8 + 9, Size: 1},
			bpf.JumpIf{Cond: bpf.JumpNotEqual, Val: tcp, SkipTrue: 1},
			bpf.RetConstant{Val: whole},
			bpf.RetConstant{},
		}
	}
	// "ICMPv6 error messages have message types from 0 to 127" (RFC 4443,
	// section 2.1). Our packets have no extension headers: the next header is
	// byte 6 of the one quoted.
	return []bpf.Instruction{
		bpf.LoadAbsolute{Off: 0, Size: 1},
		bpf.JumpIf{Cond: bpf.JumpGreaterThan, Val: 127, SkipTrue: 3},
		bpf.LoadAbsolute{Off: 8 + 6, Size: 1},
		bpf.JumpIf{Cond: bpf.JumpNotEqual, Val: tcp, SkipTrue: 1},
		bpf.RetConstant{Val: whole},
		bpf.RetConstant{},
	}
}
