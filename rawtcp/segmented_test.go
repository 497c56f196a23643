package rawtcp_test

import (
	"bytes"
	"errors"
	"io"
	"slices"
	"testing"
	"time"

	"sock/rawtcp"
	"sock/rawtcp/link"
	"sock/rawtcp/seq"
	"sock/rawtcp/trace"
	"sock/rawtcp/wire"
)

// cutter is a host's IP with a device that cuts long packets, as a card does.
type cutter struct {
	*link.Node
	t    *testing.T
	cuts int // how many packets it has cut
}

func (c *cutter) MaxSegmented() int { return 65535 }

func (c *cutter) SendSegmented(now time.Duration, header, data []byte, size int, why trace.Rule) error {
	packet := slices.Concat(header, data)
	var ip wire.IPv4
	var s wire.Segment
	if reason := ip.Decode(packet); reason != wire.OK {
		c.t.Fatal(reason)
	}
	if got := wire.VerifyTCP(ip.Src, ip.Dst, ip.Payload); got != wire.ChecksumOffloaded {
		c.t.Errorf("the checksum of what is to be cut is %v", got)
	}
	if reason := s.Decode(ip.Payload); reason != wire.OK {
		c.t.Fatal(reason)
	}
	flags := s.Flags
	if len(data) <= size {
		c.t.Errorf("%d bytes need no cutting into %d", len(data), size)
	}
	c.cuts++
	for at := 0; at < len(data); at += size {
		s.Payload = data[at:min(at+size, len(data))]
		s.Flags = flags
		if at+size < len(data) {
			s.Flags &^= wire.FIN | wire.PSH
		}
		b := ip.AppendHeader(nil, s.WireLen())
		if err := c.Send(now, s.AppendTo(b, ip.Src, ip.Dst, wire.ChecksumFull), why); err != nil {
			c.t.Errorf("%d bytes of %d: %v", len(s.Payload), size, err)
		}
		s.Seq = s.Seq.Add(seq.Size(size))
	}
	return nil
}

// A device that cuts segments takes most of the work off the Stack, and nobody
// on the wire can tell, whatever gets lost.
func TestSegmentation(t *testing.T) {
	for _, loss := range []float64{0, 0.02} {
		w := newWorld(t, link.LinkOptions{Conditions: link.Conditions{Delay: time.Millisecond, Loss: loss}})
		a, b := w.host("a", ""), w.host("b", "")
		c := &cutter{Node: a.node, t: t}
		a.Stack = rawtcp.New(c, a.opts)
		a.node.Handle(a.Stack)
		from, to := w.pair(a, b)

		sent := make([]byte, 2<<20)
		for i := range sent {
			sent[i] = byte(i >> 8 * i)
		}
		before := a.Stats().SegmentsOut
		if got := w.transfer(from, to, sent); !bytes.Equal(got, sent) {
			t.Errorf("loss %v: %d bytes have come, and not those that were sent", loss, len(got))
		}
		if segments := int(a.Stats().SegmentsOut - before); segments < len(sent)/1460 || c.cuts == 0 || c.cuts > segments/2 {
			t.Errorf("loss %v: %d segments, and %d packets that were cut", loss, segments, c.cuts)
		}
	}
}

// transfer writes data, closes, and returns what the other end reads.
func (w *world) transfer(from, to *rawtcp.Socket, data []byte) (got []byte) {
	w.t.Helper()
	buf := make([]byte, 64<<10)
	closed, ended := false, false
	w.until("the end of the stream", func() bool {
		for len(data) > 0 {
			n, err := from.Write(w.now, data)
			w.ok(err)
			data = data[n:]
			if err != nil {
				break
			}
		}
		if len(data) == 0 && !closed {
			closed = true
			w.ok(from.Close(w.now))
		}
		for !ended {
			n, err := to.Read(w.now, buf)
			got = append(got, buf[:n]...)
			if ended = errors.Is(err, io.EOF); !ended {
				w.ok(err)
			}
			if err != nil {
				break
			}
		}
		return ended
	})
	return got
}
