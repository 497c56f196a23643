package link

import (
	"encoding/binary"
	"errors"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"sock/rawtcp/trace"
	"sock/rawtcp/wire"
)

// A Faulty and a Tap before an Interface that is another host's link.
func TestFaultyAndTap(t *testing.T) {
	l := newLab(t)
	p2p := l.Link("link", LinkOptions{PointToPoint: true})
	a, b := l.Node("a", NodeOptions{}), l.host("b", NodeOptions{})
	a.Attach(p2p, "p0", prefix("10.0.0.1/24"))
	b.Attach(p2p, "p0", prefix("10.0.0.2/24"))

	var told []string
	sink := trace.Func(func(e trace.Event) { told = append(told, seconds(e.At)+" "+e.Host+" "+e.Kind.String()) })
	pipe := NewPipe(Conditions{}, 1)
	faulty := NewFaulty(a, pipe)
	tap := NewTap(faulty, "a", "p0", sink)
	a.Handle(faulty)
	faulty.Handle(tap)
	tap.Handle(recorder{l, "a"})
	for _, text := range []string{"hold the 1st packet from 10.0.0.1 5 s", "hold the 1st packet to 10.0.0.1 7 s"} {
		r, err := ParseRule(text)
		if err != nil {
			t.Fatal(err)
		}
		if err := pipe.Add(r); err != nil {
			t.Fatal(err)
		}
	}
	if err := tap.Send(0, segmentFrom(0, 0, 1, "there"), trace.Rule{}); err != nil {
		t.Fatal(err)
	}
	if err := b.Send(0, segmentFrom(1, 0, 2, "and back"), trace.Rule{}); err != nil {
		t.Fatal(err)
	}
	l.run(0) // b's packet is in the pipe now
	for _, at := range []time.Duration{5 * time.Second, 7 * time.Second} {
		if next, ok := faulty.NextDeadline(); !ok || next != at {
			t.Fatalf("next deadline %v, %t, want %v", next, ok, at)
		}
		if err := faulty.Advance(at); err != nil {
			t.Fatal(err)
		}
		l.run(at)
	}
	l.wantGot("a", `7.000 IP b.9 > a.1037: Flags [none], seq 2:10, win 0, length 8`)
	l.wantGot("b", `5.000 IP a.1037 > b.9: Flags [none], seq 1:6, win 0, length 5`)
	if diff := cmp.Diff([]string{"0.000 a sent", "7.000 a received"}, told); diff != "" {
		t.Error(diff)
	}
	if err := tap.Send(0, make([]byte, 2000), trace.Rule{}); !errors.Is(err, ErrTooBig) {
		t.Errorf("over the MTU: %v", err)
	}
	a.Crash(l.now)
	if err := tap.Send(l.now, segmentFrom(0, 0, 1, ""), trace.Rule{}); err != nil {
		t.Fatal(err)
	}
	if err := faulty.Advance(l.now); !errors.Is(err, ErrDown) {
		t.Errorf("through a host that is down: %v", err)
	}
}

// offloading is an Interface whose device computes checksums.
type offloading struct {
	Interface // nil
	sent      [][]byte
	buffers   int // taken and not given back
}

func (o *offloading) MTU() int             { return 1500 }
func (o *offloading) Checksums() Checksums { return Checksums{wire.ChecksumPseudo, true} }
func (o *offloading) Buffer() []byte       { o.buffers++; return nil }
func (o *offloading) Send(_ time.Duration, packet []byte, _ trace.Rule) error {
	o.buffers--
	o.sent = append(o.sent, packet)
	return nil
}

// receiver has what comes through.
type receiver [][]byte

func (r *receiver) Receive(_ time.Duration, packet []byte) {
	*r = append(*r, append([]byte(nil), packet...))
}

// Damage is damage, even if a device computes the checksums; and the buffers of
// the Interface are for what it gets.
func TestFaultyAndDevice(t *testing.T) {
	device, got := &offloading{}, receiver{}
	pipe := NewPipe(Conditions{Corruption: 1}, 1)
	f := NewFaulty(device, pipe)
	f.Handle(&got)
	if c := f.Checksums(); c.Send != wire.ChecksumFull || c.Offloaded {
		t.Errorf("%+v", c)
	}
	segment := func(proto wire.Protocol, mode wire.ChecksumMode) []byte {
		src, dst := addr("10.0.0.1"), addr("10.0.0.2")
		s := wire.Segment{SrcPort: 1, DstPort: 2, Flags: wire.ACK, Payload: []byte("data")}
		u := wire.UDP{SrcPort: 1, DstPort: 2, Payload: []byte("data")}
		payload := s.AppendTo(nil, src, dst, mode)
		if proto == wire.ProtoUDP {
			payload = u.AppendTo(nil, src, dst, mode)
		}
		h := wire.IPv4{TTL: 64, Src: src, Dst: dst, Protocol: proto, Payload: payload}
		return h.AppendTo(nil)
	}
	judge := func(packet []byte) wire.ChecksumState {
		var h wire.IPv4
		if h.Decode(packet) != wire.OK {
			return wire.ChecksumBad
		}
		if h.Protocol == wire.ProtoUDP {
			return wire.VerifyUDP(h.Src, h.Dst, h.Payload)
		}
		return wire.VerifyTCP(h.Src, h.Dst, h.Payload)
	}
	for _, proto := range []wire.Protocol{wire.ProtoTCP, wire.ProtoUDP} {
		f.Receive(0, segment(proto, wire.ChecksumPseudo))
		f.Receive(0, segment(proto, wire.ChecksumFull))
	}
	if err := f.Send(0, append(f.Buffer(), segment(wire.ProtoTCP, wire.ChecksumFull)...), trace.Rule{}); err != nil {
		t.Fatal(err)
	}
	if err := f.Send(0, append(f.Buffer(), make([]byte, 1501)...), trace.Rule{}); err != ErrTooBig {
		t.Error(err)
	}
	if err := f.Advance(0); err != nil {
		t.Fatal(err)
	}
	if len(got) != 4 || len(device.sent) != 1 || device.buffers != 0 {
		t.Fatalf("%d received, %d sent, %d buffers", len(got), len(device.sent), device.buffers)
	}
	for _, packet := range append(got, device.sent...) {
		if state := judge(packet); state != wire.ChecksumBad {
			t.Errorf("%x is damaged, and %v", packet, state)
		}
	}
	pipe.Set(Conditions{})
	f.Receive(0, segment(wire.ProtoTCP, wire.ChecksumPseudo))
	f.Receive(0, segment(wire.ProtoUDP, wire.ChecksumPseudo))
	if err := f.Advance(0); err != nil {
		t.Fatal(err)
	}
	for _, packet := range got[4:] {
		if state := judge(packet); state != wire.ChecksumGood {
			t.Errorf("%x is %v", packet, state)
		}
	}
}

// One packet in 65536 has a checksum that is also that of its pseudo-header. Its
// damage is no less, whatever bit it is and however it passes.
func TestFaultyAndRareChecksum(t *testing.T) {
	src, dst := addr("10.0.0.1"), addr("10.0.0.2")
	var rare wire.Segment
	pseudo := func() uint16 { return uint16(wire.PseudoSum(src, dst, wire.ProtoTCP, rare.WireLen())) }
	for n := range 1 << 16 {
		rare = wire.Segment{SrcPort: 1, DstPort: 2, Flags: wire.ACK, Payload: binary.BigEndian.AppendUint16(nil, uint16(n))}
		if b := rare.AppendTo(nil, src, dst, wire.ChecksumFull); binary.BigEndian.Uint16(b[16:]) == pseudo() {
			break
		}
	}
	h := wire.IPv4{TTL: 64, Protocol: wire.ProtoTCP, Src: src, Dst: dst}
	packet := rare.AppendTo(h.AppendHeader(nil, rare.WireLen()), src, dst, wire.ChecksumFull)
	if binary.BigEndian.Uint16(packet[20+16:]) != pseudo() {
		t.Fatal("there is no such packet")
	}
	for bit := range 8 * len(packet) {
		device := &offloading{}
		f := NewFaulty(device, NewPipe(Conditions{}, 1))
		damaged := append(f.Buffer(), packet...)
		damaged[bit/8] ^= 1 << (bit % 8)
		// It goes in as if it had been damaged there.
		if err := f.Send(0, damaged, trace.Rule{}); err != nil {
			t.Fatal(err)
		}
		if err := f.Advance(0); err != nil {
			t.Fatal(err)
		}
		if h.Decode(device.sent[0]) != wire.OK {
			continue
		}
		if state := wire.VerifyTCP(h.Src, h.Dst, h.Payload); state != wire.ChecksumBad {
			t.Errorf("with bit %d wrong it is %v", bit, state)
		}
	}
}
