package link

import (
	"flag"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"sock/rawtcp/seq"
	"sock/rawtcp/trace"
	"sock/rawtcp/wire"
)

var update = flag.Bool("update", false, "rewrite the golden files")

// acker is a TCP that can do nothing but acknowledge data.
type acker struct{ *Node }

func (a acker) Receive(now time.Duration, packet []byte) {
	var h wire.IPv4
	var s wire.Segment
	if h.Decode(packet) != wire.OK || h.Protocol != wire.ProtoTCP || s.Decode(h.Payload) != wire.OK ||
		wire.VerifyTCP(h.Src, h.Dst, h.Payload) != wire.ChecksumGood || s.Len() == 0 {
		return
	}
	answer := wire.Segment{
		SrcPort: s.DstPort, DstPort: s.SrcPort, Flags: wire.ACK, Seq: s.Ack, Ack: s.Seq.Add(s.Len()), Window: 4096,
	}
	ip := wire.IPv4{TTL: 60, Src: h.Dst, Dst: h.Src, Protocol: wire.ProtoTCP}
	ip.Payload = answer.AppendTo(nil, ip.Src, ip.Dst, wire.ChecksumFull)
	_ = a.Send(now, ip.AppendTo(a.Buffer()), trace.Rule{Text: "data in order", RFC: "RFC 9293, section 3.10.7.4"})
}

// What the network tells can be drawn: lost, held, doubled, damaged and
// injected segments, and ARP.
func TestLadderOfNetwork(t *testing.T) {
	var text, picture strings.Builder
	hosts := []string{"bsdi", "svr4"}
	names := trace.Names{}
	o := trace.LadderOptions{Hosts: hosts, Names: names, Title: "What can happen to a segment"}
	sink := trace.Fan(trace.NewLadder(&text, o), trace.NewLadderSVG(&picture, o))
	n := NewNetwork(1, sink)
	ether := n.Link("ether", LinkOptions{Conditions: Conditions{Delay: 2 * time.Millisecond}})
	bsdi, svr4 := n.Node("bsdi", berkeley()), n.Node("svr4", berkeley())
	bsdi.Attach(ether, "we0", prefix("140.252.13.35/27"))
	svr4.Attach(ether, "emd0", prefix("140.252.13.34/27"))
	svr4.Handle(acker{svr4})
	bsdi.Handle(acker{bsdi})
	for _, rule := range []string{
		"drop the 2nd pure ACK from svr4", "hold the 3rd data segment 2.5 s", "duplicate the 4th data segment",
		"corrupt the 5th data segment", "cut svr4 at 10 s", "mend svr4 at 190 s",
	} {
		if err := n.Rule(rule); err != nil {
			t.Fatal(err)
		}
	}
	segment := func(i int, flags wire.Flags) []byte {
		src, dst := addr("140.252.13.35"), addr("140.252.13.34")
		s := wire.Segment{
			SrcPort: 1102, DstPort: 9, Flags: flags, Seq: seq.Value(1000 + 8*i), Ack: 1, Window: 4096,
			Payload: []byte("12345678"),
		}
		h := wire.IPv4{TTL: 60, Src: src, Dst: dst, Protocol: wire.ProtoTCP, Payload: s.AppendTo(nil, src, dst, wire.ChecksumFull)}
		return h.AppendTo(nil)
	}
	for i, at := range []time.Duration{0, 1, 2, 3, 5, 100, 200} {
		n.Advance(at * time.Second)
		if err := bsdi.Send(at*time.Second, segment(i, wire.PSH|wire.ACK), trace.Rule{}); err != nil {
			t.Fatal(err)
		}
	}
	n.Advance(201 * time.Second)
	if err := ether.Inject(201*time.Second, segment(0, wire.PSH|wire.ACK), trace.Rule{Text: "an old duplicate"}); err != nil {
		t.Fatal(err)
	}
	n.Advance(202 * time.Second)
	if err := sink.Close(); err != nil {
		t.Fatal(err)
	}
	for path, got := range map[string]string{"testdata/ladder.txt": text.String(), "testdata/ladder.svg": picture.String()} {
		if *update {
			if err := os.MkdirAll("testdata", 0o755); err != nil {
				t.Fatal(err)
			}
			if err := os.WriteFile(path, []byte(got), 0o644); err != nil {
				t.Fatal(err)
			}
		}
		want, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(string(want), got); diff != "" {
			t.Errorf("%s (-want +got); go test -update rewrites it:\n%s", path, diff)
		}
	}
}
