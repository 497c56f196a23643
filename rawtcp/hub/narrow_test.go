package hub

import (
	"bytes"
	"net/netip"
	"slices"
	"strings"
	"testing"
	"time"

	"sock/rawtcp/link"
	"sock/rawtcp/wire"
)

// lastLines returns the last n packets as tcpdump lists them.
func (b *bench) lastLines(n int) string {
	return strings.Join(b.lines[len(b.lines)-n:], "\n")
}

// What does not fit a narrow cable is fragmented, or its sender is told, in both
// directions.
func TestNarrow(t *testing.T) {
	b := newBench(t, Options{Conditions: link.Conditions{Delay: time.Second}})
	one, two, three := b.plug("10.0.0.1", "fd00::1"), b.plug("10.0.0.2", "fd00::2"), b.plug("10.0.0.3")
	b.do("mtu 10.0.0.2 576")
	whole := func(from, to string, n int) {
		h := wire.IPv4{
			TTL: 64, Protocol: wire.ProtoTCP, DF: true, Src: netip.MustParseAddr(from), Dst: netip.MustParseAddr(to),
			Payload: make([]byte, n-20),
		}
		for _, i := range []*inbox{one, two, three} {
			if i.port.name == from {
				i.put(h.AppendTo(nil))
			}
		}
	}
	whole("10.0.0.1", "10.0.0.2", 576)
	whole("10.0.0.1", "10.0.0.3", 1500)
	b.until(time.Minute)
	if len(two.got) != 1 || len(three.got) != 1 {
		t.Errorf("%d and %d have come", len(two.got), len(three.got))
	}
	two.got = nil
	whole("10.0.0.1", "10.0.0.2", 577)
	b.until(2 * time.Minute)
	const unreachable = "IP 10.0.0.2 > 10.0.0.1: ICMP 10.0.0.2 unreachable - need to frag (mtu 576), length 556"
	if got := b.lastLines(1); got != unreachable {
		t.Error(got)
	}
	if len(two.got) != 0 || len(one.got) != 1 || !strings.HasPrefix(one.got[0], "1m2s 10.0.0.2 > 10.0.0.1") {
		t.Errorf("%q and %q", two.got, one.got)
	}
	if got, want := b.drops(), []string{"needs fragmenting, and DF is set"}; !slices.Equal(got, want) {
		t.Errorf("dropped: %q", got)
	}
	whole("10.0.0.2", "10.0.0.3", 1000)
	b.until(3 * time.Minute)
	if got := b.lastLines(1); !strings.HasPrefix(got, "IP 10.0.0.3 > 10.0.0.2: ICMP 10.0.0.3 unreachable - need to frag (mtu 576)") {
		t.Error(got)
	}
	one.got, two.got, three.got = nil, nil, nil

	text := bytes.Repeat([]byte("fragment"), 100)
	one.say("10.0.0.2", string(text))
	two.say("10.0.0.1", string(text))
	b.until(4 * time.Minute)
	for _, i := range []*inbox{one, two} {
		if len(i.got) != 2 || !strings.HasSuffix(i.got[0], string(text[:552])) || !strings.HasSuffix(i.got[1], string(text[552:])) {
			t.Errorf("%q", i.got)
		}
		i.got = nil
	}

	// IPv6 has 1280 bytes everywhere.
	six := func(n int) {
		h := wire.IPv6{
			HopLimit: 64, Protocol: 200, Src: netip.MustParseAddr("fd00::1"), Dst: netip.MustParseAddr("fd00::2"),
			Payload: make([]byte, n-40),
		}
		one.put(h.AppendTo(nil))
	}
	six(1280)
	six(1281)
	b.until(5 * time.Minute)
	if len(two.got) != 1 || len(one.got) != 1 {
		t.Errorf("%d and %d have come", len(two.got), len(one.got))
	}
	if got := b.lastLines(1); !strings.HasPrefix(got, "IP6 fd00::2 > fd00::1: ICMP6, packet too big, mtu 1280, length") {
		t.Error(got)
	}
	if got, err := b.command(b.at, "list"); err != nil || !strings.Contains(got, "\nmtu 576: 10.0.0.2\n") {
		t.Errorf("%q: %v", got, err)
	}
	b.do("mtu 10.0.0.2 1500")
	two.got = nil
	whole("10.0.0.1", "10.0.0.2", 1500)
	b.until(6 * time.Minute)
	if len(two.got) != 1 {
		t.Error("it is narrow for ever")
	}
}

// Nothing is said about what is for all, or about an error.
func TestNarrowSilence(t *testing.T) {
	b := newBench(t, Options{})
	one, two := b.plug("10.0.0.1"), b.plug("10.0.0.2")
	b.do("mtu 10.0.0.2 100")
	one.say("10.0.0.255", strings.Repeat("x", 1000))
	if len(two.got) != 1 || len(one.got) != 0 {
		t.Errorf("%d and %d have come", len(two.got), len(one.got))
	}
	m := wire.ICMPv4{Type: wire.ICMPv4Unreachable, Body: make([]byte, 200)}
	h := wire.IPv4{
		TTL: 64, Protocol: wire.ProtoICMP, DF: true, Src: netip.MustParseAddr("10.0.0.1"), Dst: netip.MustParseAddr("10.0.0.2"),
		Payload: m.AppendTo(nil),
	}
	one.put(h.AppendTo(nil))
	if len(two.got) != 1 || len(one.got) != 0 {
		t.Errorf("%d and %d have come", len(two.got), len(one.got))
	}
}

// What is damaged is not fragmented, nor is anybody told: who sent it is not known.
func TestNarrowDamage(t *testing.T) {
	b := newBench(t, Options{})
	one, two := b.plug("10.0.0.1"), b.plug("10.0.0.2")
	b.do("mtu 10.0.0.2 100")
	for _, df := range []bool{false, true} {
		h := wire.IPv4{
			TTL: 64, Protocol: wire.ProtoUDP, DF: df, Src: netip.MustParseAddr("10.0.0.1"), Dst: netip.MustParseAddr("10.0.0.2"),
			Payload: make([]byte, 1000),
		}
		packet := h.AppendTo(nil)
		packet[8] ^= 1
		one.put(packet)
	}
	if len(two.got) != 0 || len(one.got) != 0 {
		t.Errorf("%q and %q have come", two.got, one.got)
	}
	if got, want := b.drops(), []string{"bad checksum", "bad checksum"}; !slices.Equal(got, want) {
		t.Errorf("dropped: %q", got)
	}
}
