package loop_test

import (
	"net"
	"net/netip"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"golang.org/x/net/nettest"

	"sock/rawtcp/link"
	"sock/rawtcp/loop"
	"sock/rawtcp/seq"
	"sock/rawtcp/trace"
	"sock/rawtcp/wire"
)

// card is a link whose device takes long segments and cuts them, and sends batch
// after batch: that of Write without the lock. It has no lock of its own, so the
// race detector sees if it should.
type card struct {
	loop.Link
	t             testing.TB
	wait, batch   []frame
	writing       atomic.Bool
	batches, cuts atomic.Int64
}

// frame is a packet to be cut into segments of size bytes, unless that is 0.
type frame struct {
	header, data []byte
	size         int
}

func (c *card) Buffer() []byte    { return make([]byte, 0, c.MTU()) }
func (c *card) MaxSegmented() int { return 65535 }
func (c *card) Flush()            { c.Swap(); c.send() }

func (c *card) Send(_ time.Duration, packet []byte, _ trace.Rule) error {
	c.wait = append(c.wait, frame{header: packet})
	return nil
}

func (c *card) SendSegmented(_ time.Duration, header, data []byte, size int, _ trace.Rule) error {
	c.wait = append(c.wait, frame{header, data, size})
	return nil
}

func (c *card) Waiting() (n int) {
	for _, f := range c.wait {
		n += len(f.header) + len(f.data)
	}
	return n
}

func (c *card) Swap() {
	if c.writing.Load() {
		c.t.Error("a batch is taken away that is being written")
	}
	c.wait, c.batch = c.batch[:0], c.wait
}

func (c *card) Write() {
	c.writing.Store(true)
	c.batches.Add(1)
	c.send()
	c.writing.Store(false)
}

func (c *card) send() {
	for _, f := range c.batch {
		if f.size == 0 {
			c.must(c.Link.Send(0, f.header, trace.Rule{}))
			continue
		}
		c.cuts.Add(1)
		var ip wire.IPv4
		var s wire.Segment
		ip.Decode(append(f.header, f.data...))
		s.Decode(ip.Payload)
		flags := s.Flags
		for data := s.Payload; len(data) > 0; s.Seq = s.Seq.Add(seq.Size(f.size)) {
			s.Payload = data[:min(f.size, len(data))]
			data = data[len(s.Payload):]
			if s.Flags = flags; len(data) > 0 {
				s.Flags &^= wire.FIN | wire.PSH
			}
			b := ip.AppendHeader(nil, s.WireLen())
			c.must(c.Link.Send(0, s.AppendTo(b, ip.Src, ip.Dst, wire.ChecksumFull), trace.Rule{}))
		}
	}
	c.Link.Flush()
}

func (c *card) must(err error) {
	if err != nil {
		c.t.Error(err)
	}
}

var (
	_ loop.Batcher   = (*card)(nil)
	_ link.Segmenter = (*card)(nil)
)

// cards returns two hosts with cards.
func cards(t testing.TB) (p *pair, a, b *card) {
	left, right := loop.NewMemory(loop.MemoryOptions{}, []netip.Prefix{prefixA}, []netip.Prefix{prefixB})
	a, b = &card{Link: left, t: t}, &card{Link: right, t: t}
	p = &pair{loop.New(a, loop.Options{}), loop.New(b, loop.Options{})}
	t.Cleanup(p.close)
	return p, a, b
}

// A link that sends by itself carries what it should.
func TestPumpConn(t *testing.T) {
	t.Cleanup(func() { wantNobody(t) })
	nettest.TestConn(t, func() (c1, c2 net.Conn, stop func(), err error) {
		p, _, _ := cards(t)
		c, s := p.connect(t)
		return c, s, p.close, nil
	})
}

// What is written while the link is busy goes out in long segments.
func TestPump(t *testing.T) {
	synctest.Test(t, func(t *testing.T) { // where it takes no time, and so all follows at once
		p, a, b := cards(t)
		c, s := p.connect(t)
		exchange(t, c, s, noise(5<<20, 1), noise(3<<20, 2))
		for _, x := range []*card{a, b} {
			if x.batches.Load() == 0 || x.cuts.Load() == 0 {
				t.Errorf("%d batches, and %d long segments", x.batches.Load(), x.cuts.Load())
			}
		}
	})
}
