package rawtcp

import (
	"net/netip"
	"time"

	"sock/rawtcp/seq"
	"sock/rawtcp/tcb"
	"sock/rawtcp/wire"
)

// A SYN cookie is an initial sequence number that holds all that there is to
// remember of a SYN, so that nothing has to be: "5 bits: t mod 32, where t is a
// 32-bit time counter that increases every 64 seconds; 3 bits: an encoding of
// an MSS; 24 bits: a server-selected secret function of the client IP address
// and port number, the server IP address and port number, and t" (RFC 4987,
// appendix A). Options but the MSS are lost.
const (
	cookiePeriod = 64 * time.Second
	cookieAge    = 2 // periods for which a cookie is good
)

// cookieMSS returns the MSS that three bits stand for.
func cookieMSS(i uint32) uint16 {
	return [8]uint16{64, 256, 536, 1024, 1300, 1440, 1460, 8960}[i&7]
}

func (s *Stack) cookie(p *pair, irs seq.Value, t, mss uint32) seq.Value {
	return seq.Value(t<<27 | mss<<24 | uint32(s.hash(p, uint64(irs)<<32|uint64(1<<8|t<<3|mss)))&0xffffff)
}

// sendCookie answers the SYN that has come in, and forgets it.
func (s *Stack) sendCookie(now time.Duration, k *Socket, src, dst netip.Addr) {
	mss := uint32(2)
	for s.in.Options.HasMSS && mss < 7 && cookieMSS(mss+1) <= s.in.Options.MSS {
		mss++
	}
	for s.in.Options.HasMSS && mss > 0 && cookieMSS(mss) > s.in.Options.MSS {
		mss--
	}
	p := pair{dst.As16(), src.As16(), s.in.DstPort, s.in.SrcPort}
	t := uint32(now/cookiePeriod) & 31
	s.in.Options, s.in.Payload = wire.Options{HasMSS: true, MSS: cookieMSS(mss)}, nil
	if c := s.child(now, k, src, dst, s.cookie(&p, s.in.Seq, t, mss), false); c != nil {
		s.stats.CookiesSent++
		for c.tcb.Output(now, &s.out) {
			s.send(now, dst, src, c.ttl, c.tos, &s.out, tcb.RuleCookie)
		}
		s.recycle(c)
	}
}

// hasCookie reports whether the ACK that has come in brings back a cookie.
func (s *Stack) hasCookie(now time.Duration, src, dst netip.Addr) bool {
	cookie, irs := s.in.Ack-1, s.in.Seq-1
	p := pair{dst.As16(), src.As16(), s.in.DstPort, s.in.SrcPort}
	t, mss := uint32(cookie>>27), uint32(cookie>>24)&7
	age := (uint32(now/cookiePeriod) - t) & 31
	return age < cookieAge && cookie == s.cookie(&p, irs, t, mss)
}

// isUsurped reports whether a cookie has come for a connection whose handshake is
// under way: then its SYN was a stranger's. It came after the SYN of the client,
// who has been sent the cookie, which nobody else can have; and each of the two
// would find that what the other sends is outside the window.
func (s *Stack) isUsurped(now time.Duration, c *conn, src, dst netip.Addr) bool {
	return s.prof.SYNCookies && c.parent != nil && !c.completed &&
		s.in.Flags.Has(wire.ACK) && !s.in.Flags.Any(wire.SYN|wire.RST) && s.hasCookie(now, src, dst)
}

// reinstate forgets the stranger, and takes in the cookie.
func (s *Stack) reinstate(now time.Duration, c *conn, src, dst netip.Addr) {
	k, state := c.parent, c.tcb.State()
	k.queue.incomplete = remove(k.queue.incomplete, c)
	c.parent = nil
	s.leave(c)
	s.stateEvent(now, &c.pair, state, tcb.Closed, "a cookie shows that the SYN was a stranger's")
	s.receiveCookie(now, k, src, dst)
}

// receiveCookie takes in an ACK for a listening socket: it may bring back a
// cookie. If so, the SYN is made up again, and all goes on from there.
func (s *Stack) receiveCookie(now time.Duration, k *Socket, src, dst netip.Addr) {
	if !s.hasCookie(now, src, dst) {
		s.refuseACK(now, src, dst)
		return
	}
	if len(k.queue.complete) >= k.queue.room {
		s.stats.Overflows++
		s.drop(now, QueueFull)
		return
	}
	ack, cookie := s.in, s.in.Ack-1
	s.in = wire.Segment{
		SrcPort: ack.SrcPort, DstPort: ack.DstPort, Seq: ack.Seq - 1, Flags: wire.SYN, Window: ack.Window,
		Options: wire.Options{HasMSS: true, MSS: cookieMSS(uint32(cookie >> 24))},
	}
	s.cause = "receive ACK of a SYN cookie"
	c := s.child(now, k, src, dst, cookie, true)
	s.cause, s.in = "", ack
	if c == nil {
		return
	}
	for c.tcb.Output(now, &s.out) {
		// The SYN and ACK went out long ago.
	}
	s.stats.CookiesReceived++
	s.enqueue(k, c)
	s.input(now, c)
	s.settle(now, c)
}
