package ether

import (
	"net/netip"
	"testing"
	"time"

	"sock/rawtcp/batch"
	"sock/rawtcp/link"
	"sock/rawtcp/trace"
	"sock/rawtcp/virtio"
	"sock/rawtcp/wire"
)

// Nothing is allocated for a packet, short or long.
func TestSendAllocatesNothing(t *testing.T) {
	own := netip.MustParsePrefix("10.0.0.1/24")
	peer := netip.MustParseAddr("10.0.0.2")
	l := &Link{port: port{mtu: 1500}, Buffers: batch.NewBuffers(1500)}
	l.Queue = batch.NewQueue(l.Buffers, nil, l.write)
	l.Attached = link.Attached{Interface: l, Addresses: []netip.Prefix{own}}
	l.neighbors = neighbors{own: l.Addresses, known: map[netip.Addr]*neighbor{peer: {known: true, mac: wire.MAC{2}}}}
	s := wire.Segment{SrcPort: 1, DstPort: 2, Flags: wire.ACK}
	data := make([]byte, 60_000)
	allocs := testing.AllocsPerRun(1000, func() {
		var last *batch.Head
		for _, more := range [][]byte{nil, data} {
			ip := wire.IPv4{TTL: 64, Protocol: wire.ProtoTCP, Src: own.Addr(), Dst: peer}
			b := s.AppendTo(ip.AppendHeader(l.Buffer(), 20), own.Addr(), peer, wire.ChecksumPseudo)
			if last = l.Head(); more == nil {
				_ = l.Send(0, b, trace.Rule{})
			} else {
				_ = l.SendSegmented(time.Second, b, more, 1448, trace.Rule{})
			}
		}
		var v virtio.Header
		if v.Get(last[:]); v.GSO != virtio.TCPv4 || l.Waiting() != 40+60_040 {
			t.Fatalf("%+v, %d bytes wait", v, l.Waiting())
		}
		l.Swap()
		l.Swap()
	})
	if allocs > 0 {
		t.Errorf("%v allocations", allocs)
	}
}
