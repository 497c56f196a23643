package rawtcp_test

import (
	"errors"
	"testing"

	"sock/rawtcp"
	"sock/rawtcp/tcb"
	"sock/rawtcp/wire"
)

// Urgent data is told of before it is read, Read stops at its place, and it is
// out of the stream or in it, as SO_OOBINLINE says.
func TestUrgent(t *testing.T) {
	for _, inline := range []int{0, 1} {
		l, k, p := in(t, isEstablished, "")
		l.ok(k.Set(l.now, rawtcp.Inline, inline))
		if _, err := k.ReadUrgent(l.now); !errors.Is(err, tcb.ErrNoUrgent) || k.HasUrgent() || k.AtMark() {
			t.Errorf("inline %d, nothing has come: %v", inline, err)
		}
		told := 0
		k.OnChange(func() { told++ })
		p.l.deliver(p.me, p.it, wire.Segment{
			Seq: p.seq, Ack: p.ack, Flags: wire.ACK | wire.URG, Window: 1000, Urgent: 4, Payload: []byte("ab"),
		})
		p.seq += 2
		if told == 0 || !k.HasUrgent() || k.AtMark() {
			t.Errorf("inline %d: told %d times, %v", inline, told, k.HasUrgent())
		}
		want := rawtcp.ErrWouldBlock
		if inline == 1 {
			want = tcb.ErrNoUrgent
		}
		if _, err := k.ReadUrgent(l.now); !errors.Is(err, want) {
			t.Errorf("inline %d, not here yet: %v", inline, err)
		}
		p.send(wire.ACK|wire.PSH, "c!de")
		if b, err := k.ReadUrgent(l.now); inline == 0 && (b != '!' || err != nil) {
			t.Errorf("inline %d: %q %v", inline, b, err)
		}
		var b [9]byte
		if n, err := k.Read(l.now, b[:]); string(b[:n]) != "abc" || err != nil {
			t.Errorf("inline %d: %q %v", inline, b[:n], err)
		}
		if !k.AtMark() || !k.HasUrgent() {
			t.Errorf("inline %d: not at the mark", inline)
		}
		after := "de"
		if inline == 1 {
			after = "!de"
		}
		if n, err := k.Peek(l.now, b[:]); string(b[:n]) != after || err != nil {
			t.Errorf("inline %d: %q %v", inline, b[:n], err)
		}
		if n, err := k.Read(l.now, b[:]); string(b[:n]) != after || err != nil {
			t.Errorf("inline %d: %q %v", inline, b[:n], err)
		}
		if k.AtMark() || k.HasUrgent() {
			t.Errorf("inline %d: still at the mark", inline)
		}
	}
}

// WriteUrgent points behind its last byte, and Write does not.
func TestWriteUrgent(t *testing.T) {
	l, k, p := in(t, isEstablished, "")
	if n, err := k.WriteUrgent(l.now, []byte("now!")); n != 4 || err != nil {
		t.Fatalf("%d %v", n, err)
	}
	if s := p.take(wire.ACK | wire.URG); s.Urgent != 4 || string(s.Payload) != "now!" {
		t.Errorf("%+v", s)
	}
	p.send(wire.ACK, "")
	_, err := k.Write(l.now, []byte("later"))
	l.ok(err)
	p.take(wire.ACK)
}

// A socket without a connection has no urgent data.
func TestNoUrgent(t *testing.T) {
	l := newLone(t, "")
	k := l.Socket(rawtcp.IPv4)
	if k.AtMark() || k.HasUrgent() {
		t.Error("a new socket has urgent data")
	}
}
