package trace

import (
	"bytes"
	"encoding/binary"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"sock/rawtcp/seq"
	"sock/rawtcp/wire"
)

// comments returns those of the packets in a capture, "; " between the lines.
func comments(t *testing.T, file []byte) (all []string) {
	t.Helper()
	for len(file) > 0 {
		length := binary.LittleEndian.Uint32(file[4:])
		block := file[:length]
		file = file[length:]
		if binary.LittleEndian.Uint32(block) != blockPacket {
			continue
		}
		captured := int(binary.LittleEndian.Uint32(block[20:]))
		option := block[28+(captured+3)/4*4:]
		if code := binary.LittleEndian.Uint16(option); code != optionComment {
			t.Fatalf("option %d is no comment", code)
		}
		comment := string(option[4:][:binary.LittleEndian.Uint16(option[2:])])
		all = append(all, strings.ReplaceAll(comment, "\n", "; "))
	}
	return all
}

// segments are packets of b, with an ID each, and what is told of them.
type segments struct{ Sink }

func (s segments) packet(id uint64) []byte {
	return tcp("bsdi", "svr4", segment(1037, 9, wire.ACK, seq.Value(id), 0, ""))
}

func (s segments) tell(at time.Duration, kind Kind, id uint64, text string) {
	e := Event{At: at, Kind: kind, Host: "b", ID: id, Text: text}
	switch kind {
	case Sent, Received, Dropped:
		e.Packet = s.packet(id)
	}
	if kind == Dropped {
		e.Reason = wire.BadChecksum
	}
	s.Event(e)
}

// A packet tells what became of it at that time; what is told later, or of a packet
// that is not captured, is told by the next with its name.
func TestPcapngComments(t *testing.T) {
	var file bytes.Buffer
	p := NewPcapng(&file, Capture{LinkType: LinkTypeRaw, See: AtHost("b")})
	s := segments{p}
	s.tell(1, Note, 0, "before")
	s.tell(1, Sent, 1, "")
	s.tell(1, Sent, 2, "")
	s.tell(1, Note, 1, "corrupted")
	s.Event(Event{At: 1, Kind: Dropped, ID: 2, Packet: s.packet(2), Reason: wire.Truncated})
	s.tell(2, Note, 4, "corrupted on its way in")
	s.tell(2, Sent, 3, "")
	s.tell(3, Dropped, 3, "")
	s.tell(4, Received, 4, "")
	// A Stack does not know the ID.
	s.Event(Event{At: 4, Kind: Dropped, Host: "b", Packet: s.packet(4), Reason: wire.BadChecksum})
	s.Event(Event{At: 4, Kind: Note, Text: "cable cut"})
	s.tell(5, Sent, 5, "")
	p.Flush()
	flushed := file.Len()
	s.tell(5, Note, 5, "too late")
	s.tell(5, Note, 0, "for nobody")
	if err := p.Close(); err != nil {
		t.Fatal(err)
	}
	want := []string{
		"b: before; b: sent; b: corrupted",
		"b: sent; dropped: truncated",
		"b: sent",
		"b: dropped: bad checksum: IP 140.252.13.35.1037 > 140.252.13.34.9: Flags [.], ack 0, win 4096, length 0; " +
			"b: corrupted on its way in; b: received; b: dropped: bad checksum",
		"cable cut; b: sent",
	}
	if diff := cmp.Diff(want, comments(t, file.Bytes())); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	if file.Len() != flushed {
		t.Error("there was more to write after Flush")
	}
}

// However much is told at the same time, or of packets that never come, little is
// kept, and nothing of a packet is lost.
func TestPcapngBounds(t *testing.T) {
	var file bytes.Buffer
	p := NewPcapng(&file, Capture{LinkType: LinkTypeRaw})
	s := segments{p}
	for id := range uint64(10 * maxAhead) {
		s.tell(0, Sent, id+1, "")
		s.tell(0, Note, id+1, "held")
		s.tell(0, Note, 1<<32+id, "made late")
		s.tell(0, Note, 0, "something")
		if len(p.kept) > maxKept || len(p.ahead) > maxAhead || len(p.since["b"]) > maxComments {
			t.Fatalf("%d, %d and %d are kept", len(p.kept), len(p.ahead), len(p.since["b"]))
		}
	}
	if err := p.Close(); err != nil {
		t.Fatal(err)
	}
	all := comments(t, file.Bytes())
	if len(all) != 10*maxAhead || slices.ContainsFunc(all, func(c string) bool { return !strings.HasSuffix(c, "b: sent; b: held") }) {
		t.Errorf("%d packets: %q ...", len(all), all[:3])
	}
}

// A capture without packets says what they would have been.
func TestPcapngEmpty(t *testing.T) {
	tcpdump := tool(t, "tcpdump", "apt-get install tcpdump")
	for _, linkType := range []LinkType{LinkTypeRaw, LinkTypeEthernet} {
		path := captured(t, Capture{LinkType: linkType}, nil)
		if got := output1(t, tcpdump, "-n", "-r", path); got != "" {
			t.Errorf("link type %d: %s", linkType, got)
		}
	}
}

// An IP packet whose version is damaged is not ARP.
func TestDamagedVersion(t *testing.T) {
	packet := segments{}.packet(1)
	packet[0] ^= 0x40
	e := Event{Kind: Sent, ID: 1, Packet: packet}
	for _, c := range []struct {
		l    *Lister
		want string
	}{
		{NewLister(Listing{}), "IP [bad IP version]"},
		{NewOldLister(Listing{}), "[bad IP version]"},
	} {
		if got, _ := c.l.Line(e); got != c.want {
			t.Errorf("%q, want %q", got, c.want)
		}
	}
	var file bytes.Buffer
	play(t, NewPcapng(&file, Capture{LinkType: LinkTypeRaw}), []Event{e})
	if !bytes.Contains(file.Bytes(), packet) {
		t.Error("it is not captured")
	}
}
