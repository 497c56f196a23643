package raw

import (
	"bytes"
	"net/netip"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"sock/rawtcp/trace"
	"sock/rawtcp/wire"
)

// A capture has the checksum that the device puts into a segment, and leaves the
// teller's own packet and a checksum that is wrong as they are.
func TestCaptureChecksum(t *testing.T) {
	src, dst := netip.MustParseAddr("10.0.0.1"), netip.MustParseAddr("10.0.0.2")
	packet := func(mode wire.ChecksumMode) []byte {
		s := wire.Segment{SrcPort: 1, DstPort: 2, Flags: wire.ACK, Payload: []byte("hello")}
		h := wire.IPv4{TTL: 64, Protocol: wire.ProtoTCP, Src: src, Dst: dst}
		h.Payload = s.AppendTo(nil, src, dst, mode)
		return h.AppendTo(nil)
	}
	write := func(p []byte) []byte {
		var file bytes.Buffer
		out := &output{w: &file}
		c := newCapture(out, time.Unix(0, 0), "", func(*trace.Event) bool { return true })
		c.Event(trace.Event{Kind: trace.Sent, Packet: p})
		if err := c.Close(); err != nil {
			t.Error(err)
		}
		out.Flush()
		return file.Bytes()
	}
	half, whole := packet(wire.ChecksumPseudo), packet(wire.ChecksumFull)
	told := bytes.Clone(half)
	if !bytes.Contains(write(told), whole) {
		t.Error("the capture has half a checksum")
	}
	if !bytes.Equal(told, half) {
		t.Error("the packet of who tells is another")
	}
	whole[len(whole)-1] ^= 1
	if !bytes.Contains(write(whole), whole) {
		t.Error("damage is not captured as it is")
	}
}

// What is told right after a packet is in its comment, even if the queue was faster;
// and soon it is all written.
func TestCaptureSettles(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var file bytes.Buffer
		out := &output{w: &file}
		c := newCapture(out, time.Unix(0, 0), "", func(e *trace.Event) bool { return e.Kind == trace.Sent })
		written := func() string {
			c.mu.Lock()
			defer c.mu.Unlock()
			return file.String()
		}
		packet := []byte{0x45}
		c.Event(trace.Event{Kind: trace.Sent, ID: 1, Packet: packet})
		c.Flush()
		time.Sleep(settled / 2)
		c.Event(trace.Event{Kind: trace.Note, ID: 1, Text: "corrupted"})
		c.Flush()
		time.Sleep(settled * 3 / 4)
		if strings.Contains(written(), "sent") {
			t.Error("it is written before all is told")
		}
		time.Sleep(settled / 2)
		if !strings.Contains(written(), "sent\ncorrupted") {
			t.Errorf("written is %q", written())
		}
		c.Event(trace.Event{Kind: trace.Sent, ID: 2, Packet: packet})
		c.Flush()
		if err := c.Close(); err != nil {
			t.Error(err)
		}
		out.Flush()
		size := file.Len()
		time.Sleep(2 * settled)
		if file.Len() != size {
			t.Error("it is written after the end")
		}
	})
}
