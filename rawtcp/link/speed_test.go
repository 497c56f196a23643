package link

import (
	"fmt"
	"testing"
	"time"

	"sock/rawtcp/trace"
	"sock/rawtcp/wire"
)

// counter is a Handler that counts.
type counter struct{ packets, bytes int }

func (c *counter) Receive(_ time.Duration, packet []byte) {
	c.packets++
	c.bytes += len(packet)
}

// pair is two hosts and a link without faults, and a function that sends one
// full packet from one to the other.
func pair(mtu int, ethernet bool) (*counter, func()) {
	n := NewNetwork(1, nil)
	l := n.Link("link", LinkOptions{MTU: mtu, PointToPoint: !ethernet})
	a, b := n.Node("a", NodeOptions{}), n.Node("b", NodeOptions{})
	a.Attach(l, "eth0", prefix("10.0.0.1/24"))
	b.Attach(l, "eth0", prefix("10.0.0.2/24"))
	var c counter
	b.Handle(&c)
	h := wire.IPv4{TTL: 64, DF: true, Protocol: 99, Src: addr("10.0.0.1"), Dst: addr("10.0.0.2")}
	return &c, func() {
		buf := h.AppendHeader(a.Buffer(), mtu-20)
		if err := a.Send(0, buf[:mtu], trace.Rule{}); err != nil {
			panic(err)
		}
		n.Advance(0)
	}
}

func TestPlainPathAllocatesNothing(t *testing.T) {
	for _, ethernet := range []bool{false, true} {
		for _, mtu := range []int{1500, 65535} {
			c, send := pair(mtu, ethernet)
			send()
			before := c.packets
			if got := testing.AllocsPerRun(1000, send); got != 0 {
				t.Errorf("ethernet %t, mtu %d: %v allocations a packet", ethernet, mtu, got)
			}
			if c.packets-before != 1001 || c.bytes != c.packets*mtu {
				t.Errorf("%d packets with %d bytes arrived", c.packets, c.bytes)
			}
		}
	}
}

func BenchmarkPlainPath(b *testing.B) {
	for _, mtu := range []int{1500, 65535} {
		b.Run(fmt.Sprint("mtu", mtu), func(b *testing.B) {
			_, send := pair(mtu, false)
			b.SetBytes(int64(mtu))
			b.ReportAllocs()
			for b.Loop() {
				send()
			}
		})
	}
}
