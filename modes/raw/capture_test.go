package raw

import (
	"bytes"
	"net/netip"
	"testing"
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
