package ether

import (
	"crypto/sha256"
	"net/netip"

	"sock/rawtcp/wire"
)

// ownMAC returns the Ethernet address of a host on an interface. It is not the
// interface's, so that this machine, which gets all frames to that, does not take
// what is for the host, and perhaps forward it. It is locally administered, and
// always the same for the same address: when a program runs again, what its
// neighbors have learnt of it is still true.
//
// An access point takes frames only from the address that has associated with it.
// There it is the interface's after all.
func ownMAC(p *port, wireless bool, own netip.Addr) wire.MAC {
	if wireless {
		return p.mac
	}
	sum := sha256.Sum256(append(p.mac[:], own.AsSlice()...))
	m := wire.MAC(sum[:6])
	const group, local = 1, 2 // bits of the first byte: IEEE 802, section 8.2
	m[0] = m[0]&^group | local
	return m
}
