package udp

import "net/netip"

// matches returns how inexactly k is for a datagram: one for each end that is not
// the very one (Fig 11-23). ok is false if it is not for k at all.
func (k *Socket) matches(to, from netip.AddrPort) (wildcards int, ok bool) {
	if k.local.Port() != to.Port() || k.isIPv4() != to.Addr().Is4() {
		return 0, false
	}
	if k.local.Addr() != to.Addr() {
		if !k.local.Addr().IsUnspecified() {
			return 0, false
		}
		wildcards++
	}
	if k.remote != from {
		if k.remote.IsValid() {
			return 0, false
		}
		wildcards++
	}
	return wildcards, true
}

// What 4.4BSD keeps beside the data of a datagram: the sender's address, and with
// IP_RECVDSTADDR the destination. Each part is in mbufs of 128 bytes, and of those
// there may be twice as many bytes as the buffer has (sbreserve).
const (
	sockaddrLen = 16
	controlLen  = 16
	mbufLen     = 128
	mbufData    = 108
)

// take puts m into the receive buffer, and reports whether it had room.
func (k *Socket) take(m message) bool {
	m.bytes, m.memory = len(m.data)+sockaddrLen, mbufLen*(1+(len(m.data)+mbufData-1)/mbufData)
	if k.flag(RecvDstAddr) {
		m.bytes, m.memory = m.bytes+controlLen, m.memory+mbufLen
	}
	limit := k.values[RecvBuf]
	if m.bytes > limit-k.used || m.bytes > 2*limit-k.memory {
		return false
	}
	k.used, k.memory = k.used+m.bytes, k.memory+m.memory
	k.queue = append(k.queue, m)
	k.changed()
	return true
}
