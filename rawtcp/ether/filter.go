package ether

import (
	"encoding/binary"
	"net/netip"

	"golang.org/x/net/bpf"

	"sock/rawtcp/link"
	"sock/rawtcp/wire"
)

// Where fields are in a frame.
const (
	atDestination  = 0
	atType         = 12
	atIPv4To       = wire.EtherLen + 16
	atIPv6To       = wire.EtherLen + 24
	atARPOp        = wire.EtherLen + 6
	atARPSender    = wire.EtherLen + 14
	atARPTarget    = wire.EtherLen + 24
	wholeFrame     = 1 << 20 // more than any is long
	tagged         = bpf.ExtVLANTagPresent
	multicastFrame = 1 << 24 // the bit in the first word of a frame
)

// untagged lets through only frames without a VLAN tag, which the kernel has
// taken off: the host is on the interface itself.
func untagged(rest []bpf.Instruction) []bpf.Instruction {
	return append([]bpf.Instruction{
		bpf.LoadExtension{Num: tagged},
		bpf.JumpIf{Cond: bpf.JumpEqual, Val: 0, SkipTrue: 1},
		bpf.RetConstant{},
	}, rest...)
}

// filter returns a program that lets through what this host must see: IP packets
// to it, in frames to it or to many, and of ARP and neighbor discovery what
// concerns it. With groups it lets through what is sent to any of them: of which the
// host is a member is known above.
func filter(mac wire.MAC, own []netip.Prefix, groups bool) []bpf.Instruction {
	var p program
	// A frame is for this host, or for many.
	p.load(atDestination, 4)
	p.unless(bpf.JumpBitsSet, multicastFrame, func() {
		p.must(binary.BigEndian.Uint32(mac[:]))
		p.load(atDestination+4, 2)
		p.must(uint32(binary.BigEndian.Uint16(mac[4:])))
	})
	p.load(atType, 2)
	p.when(uint32(wire.EtherARP), func() {
		for _, a := range own {
			if a.Addr().Is4() {
				// It asks for this host, or a host says where it is: what is
				// known of that may change.
				p.load(atARPTarget, 4)
				p.accept(word(a.Addr(), 0))
				p.load(atARPSender, 4)
				p.accept(word(a.Addr(), 0))
			}
		}
		p.load(atARPOp, 2)
		p.accept(uint32(wire.ARPReply))
		p.announcement()
	})
	p.load(atType, 2)
	p.when(uint32(wire.EtherIPv4), func() {
		p.load(atIPv4To, 4)
		p.accept(0xffffffff)
		if groups {
			const first = 0xe0000000 // 224.0.0.0
			p.add(bpf.JumpIf{Cond: bpf.JumpLessThan, Val: first, SkipTrue: 1}, bpf.RetConstant{Val: wholeFrame})
		}
		for _, a := range own {
			if a.Addr().Is4() {
				p.accept(word(a.Addr(), 0))
				if all := link.BroadcastOf(a); all.IsValid() {
					p.accept(word(all, 0))
				}
			}
		}
	})
	p.load(atType, 2)
	p.when(uint32(wire.EtherIPv6), func() {
		for _, a := range own {
			if a.Addr().Is6() {
				p.accept128(a.Addr())
				p.accept128(wire.SolicitedNode(a.Addr()))
			}
		}
		p.accept128(allNodes())
		if groups {
			p.load(atIPv6To, 1)
			p.accept(0xff)
		}
	})
	p.reject()
	return p
}

func word(a netip.Addr, i int) uint32 { return binary.BigEndian.Uint32(a.AsSlice()[4*i:]) }

// program is a filter that grows.
type program []bpf.Instruction

func (p *program) add(i ...bpf.Instruction) { *p = append(*p, i...) }

func (p *program) load(at uint32, size int) { p.add(bpf.LoadAbsolute{Off: at, Size: size}) }

func (p *program) reject() { p.add(bpf.RetConstant{}) }

// accept lets the frame through if what was loaded is v.
func (p *program) accept(v uint32) {
	p.add(bpf.JumpIf{Cond: bpf.JumpNotEqual, Val: v, SkipTrue: 1}, bpf.RetConstant{Val: wholeFrame})
}

// must rejects the frame if what was loaded is not v.
func (p *program) must(v uint32) {
	p.add(bpf.JumpIf{Cond: bpf.JumpEqual, Val: v, SkipTrue: 1}, bpf.RetConstant{})
}

// accept128 lets the frame through if it is an IPv6 packet to a.
func (p *program) accept128(a netip.Addr) {
	p.add(
		bpf.LoadAbsolute{Off: atIPv6To, Size: 4},
		bpf.JumpIf{Cond: bpf.JumpNotEqual, Val: word(a, 0), SkipTrue: 7},
		bpf.LoadAbsolute{Off: atIPv6To + 4, Size: 4},
		bpf.JumpIf{Cond: bpf.JumpNotEqual, Val: word(a, 1), SkipTrue: 5},
		bpf.LoadAbsolute{Off: atIPv6To + 8, Size: 4},
		bpf.JumpIf{Cond: bpf.JumpNotEqual, Val: word(a, 2), SkipTrue: 3},
		bpf.LoadAbsolute{Off: atIPv6To + 12, Size: 4},
		bpf.JumpIf{Cond: bpf.JumpNotEqual, Val: word(a, 3), SkipTrue: 1},
		bpf.RetConstant{Val: wholeFrame},
	)
}

// announcement lets an ARP packet through whose sender asks for itself.
func (p *program) announcement() {
	p.add(
		bpf.LoadAbsolute{Off: atARPSender, Size: 4},
		bpf.TAX{},
		bpf.LoadAbsolute{Off: atARPTarget, Size: 4},
		bpf.JumpIfX{Cond: bpf.JumpNotEqual, SkipTrue: 1},
		bpf.RetConstant{Val: wholeFrame},
	)
}

// when adds what body does, for frames where v was loaded; the others go on
// behind it. A frame that body does not accept is rejected.
func (p *program) when(v uint32, body func()) {
	at := len(*p)
	p.add(nil)
	body()
	p.reject()
	(*p)[at] = bpf.JumpIf{Cond: bpf.JumpNotEqual, Val: v, SkipTrue: uint8(len(*p) - at - 1)}
}

// unless adds what body does, for frames for which the condition is false.
func (p *program) unless(c bpf.JumpTest, v uint32, body func()) {
	at := len(*p)
	p.add(nil)
	body()
	(*p)[at] = bpf.JumpIf{Cond: c, Val: v, SkipTrue: uint8(len(*p) - at - 1)}
}
