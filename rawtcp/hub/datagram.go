package hub

import (
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"slices"
	"sync"
	"syscall"
	"time"
)

// Over UDP, anybody can say that he is anybody. So the hub answers the first join
// from an address with a token, and plugs in only who comes back with it: the
// "stateless cookie technique" of RFC 6347, section 4.2.1. What it sends to an
// address that has not shown that it is there is never longer than what it got.
// From then on the token is in each datagram, both ways.
type token [tokenLen]byte

// datagrams is the UDP socket of a hub, and the plugs beyond it. All but the
// reading is guarded by the lock of the Hub.
type datagrams struct {
	hub    *Hub
	conn   packetConn
	bulk   bulk // of conn
	secret []byte
	// sessions are the plugs, by where they are.
	sessions map[netip.AddrPort]*session
	check    time.Duration // not before then has anybody been silent too long
	answer   []byte
	writers  sync.WaitGroup
}

// packetConn is what is needed of a net.UDPConn.
type packetConn interface {
	ReadFromUDPAddrPort(b []byte) (int, netip.AddrPort, error)
	WriteToUDPAddrPort(b []byte, to netip.AddrPort) (int, error)
	Close() error
}

// session is a plug that is reached over UDP.
type session struct {
	token  token
	wanted string // as it has joined
	port   *port
	hello  string // the body of its welcome
	out    *queue
	heard  time.Duration
}

const (
	// aliveTime is how often a plug says that it is there, and is told that
	// the hub is: often enough for whatever translates addresses on the way,
	// which RFC 4787 lets forget after two minutes, and some after half of one.
	aliveTime = 3 * time.Second
	// silence is how long the other end may be silent.
	silence = 10 * time.Second
)

// errSilent is why a plug is unplugged from which nothing has come for long.
var errSilent = fmt.Errorf("nothing was heard from it for %v", silence)

// listenUDP listens at address.
func (h *Hub) listenUDP(address string) error {
	a, err := net.ResolveUDPAddr("udp", address)
	if err != nil {
		return fmt.Errorf("udp:%s: %w; a place is udp:ADDRESS:PORT, as udp:0.0.0.0:7000", address, err)
	}
	conn, err := net.ListenUDP("udp", a)
	if err != nil {
		return fmt.Errorf("udp:%s: %w", address, explainBind(err))
	}
	widen(conn)
	return h.serveUDP(conn)
}

// explainBind says what can be done about err, of a port for plugs.
func explainBind(err error) error {
	switch {
	case errors.Is(err, syscall.EADDRINUSE):
		return errors.New("another process has that port of UDP, perhaps a hub: plug into that without --hub, or take another port")
	case errors.Is(err, syscall.EADDRNOTAVAIL):
		return errors.New("no interface of this machine has that address: take one that it has, or 0.0.0.0 for all of IPv4")
	case errors.Is(err, syscall.EACCES):
		return errors.New("that port needs a privilege: take one from 1024 on")
	}
	return errors.Unwrap(err)
}

// widen has room in a socket for a burst, or as much as the system allows: what
// finds none is lost.
func widen(conn net.Conn) {
	if u, ok := conn.(*net.UDPConn); ok {
		_ = u.SetReadBuffer(waiting)  // or a little less
		_ = u.SetWriteBuffer(waiting) // as well
	}
}

// serveUDP lets plugs join over conn.
func (h *Hub) serveUDP(conn packetConn) error {
	d := &datagrams{hub: h, conn: conn, bulk: newBulk(conn), secret: make([]byte, sha256.Size), sessions: map[netip.AddrPort]*session{}}
	_, _ = rand.Read(d.secret) // it never fails
	h.lock()
	h.udp = append(h.udp, d)
	if h.anyMTU && len(h.cable.ports) == 0 {
		h.cable.mtu = udpMTU
		h.cable.free = nil
	}
	h.unlock()
	if !h.start(d, d.read) {
		_ = conn.Close() // it is for nothing
		return net.ErrClosed
	}
	return nil
}

// udpMTU is the MTU over UDP if nobody has asked for one.
const udpMTU = 1400

// Close tells all plugs that the hub goes.
func (d *datagrams) Close() error {
	for _, s := range d.sessions {
		s.out.say(kindLeave, "")
		s.out.end()
	}
	clear(d.sessions)
	d.writers.Wait()
	return d.conn.Close()
}

// read takes what comes, until the socket is closed.
func (d *datagrams) read() {
	buf := make([]byte, longestUDP)
	for {
		n, size, from, err := d.bulk.receive(buf)
		if errors.Is(err, net.ErrClosed) {
			return
		}
		if err != nil {
			continue // it tells of a datagram sent before
		}
		d.hub.lock()
		if !d.hub.closed {
			for b := range slices.Chunk(buf[:n], max(size, 1)) {
				d.take(d.hub.now, from, b)
			}
		}
		d.hub.unlock()
	}
}

// take takes one datagram.
func (d *datagrams) take(now time.Duration, from netip.AddrPort, b []byte) {
	if len(b) < tokenLen {
		return
	}
	t := token(b)
	k, body, rest, ok, err := next(b[tokenLen:], d.hub.cable.mtu)
	if err != nil || !ok || len(rest) > 0 {
		return
	}
	if k == kindJoin {
		d.join(now, from, t, string(body))
		return
	}
	s := d.sessions[from]
	if s == nil || s.token != t {
		if k != kindLeave {
			// A hub was here before, perhaps, whose plug need not wait.
			d.reply(from, t, kindLeave, "")
		}
		return
	}
	s.heard = now
	switch k {
	case kindPacket:
		d.hub.cable.send(now, s.port, body)
	case kindAlive:
		s.out.say(kindAlive, "")
	case kindLeave:
		d.end(now, from, nil)
	case kindEstate:
		_ = d.hub.cable.bequeath(s.port, body) // if it is junk, nothing is left
		d.end(now, from, nil)
		d.reply(from, t, kindLeave, "")
	}
}

// join answers a join, which may be said again if the answer was lost.
func (d *datagrams) join(now time.Duration, from netip.AddrPort, t token, body string) {
	right := d.token(from)
	if !hmac.Equal(t[:], right[:]) {
		d.reply(from, right, kindRetry, "")
		return
	}
	s := d.sessions[from]
	if s != nil && s.wanted != body {
		d.end(now, from, nil) // another plug has got its port
		s = nil
	}
	if s == nil {
		var err error
		if s, err = d.begin(now, from, right, body); err != nil {
			d.reply(from, right, kindRefuse, err.Error())
			return
		}
	}
	s.heard = now
	s.out.say(kindWelcome, s.hello)
}

// begin plugs in who is at from.
func (d *datagrams) begin(now time.Duration, from netip.AddrPort, t token, body string) (*session, error) {
	wanted, err := parseJoin([]byte(body))
	if err != nil {
		return nil, err
	}
	s := &session{token: t, wanted: body, out: newQueue(t[:], waiting)}
	if s.port, err = d.hub.cable.join(now, wanted, "udp:"+netip.AddrPortFrom(from.Addr().Unmap(), from.Port()).String(), s.out); err != nil {
		return nil, err
	}
	s.hello = d.hub.cable.welcome(s.port)
	if len(d.sessions) == 0 {
		d.check = now + silence
	}
	d.sessions[from] = s
	d.writers.Go(func() {
		// What cannot be written is lost, as any datagram.
		_ = s.out.run(func(batch []byte) error {
			eachRun(batch, func(run []byte, size int) { d.bulk.send(run, size, from) })
			return nil
		})
	})
	return s, nil
}

// end unplugs who is at from.
func (d *datagrams) end(now time.Duration, from netip.AddrPort, why error) {
	s := d.sessions[from]
	delete(d.sessions, from)
	d.hub.cable.leave(now, s.port, why)
	s.out.end()
}

// reply sends a message to somebody who is not plugged in.
func (d *datagrams) reply(to netip.AddrPort, t token, k kind, text string) {
	d.answer = appendMessage(append(d.answer[:0], t[:]...), k, text)
	_, _ = d.conn.WriteToUDPAddrPort(d.answer, to) // it asks again
}

// token returns the token for an address.
func (d *datagrams) token(a netip.AddrPort) (t token) {
	h := hmac.New(sha256.New, d.secret)
	h.Write(a.AppendTo(nil))
	copy(t[:], h.Sum(nil))
	return t
}

// nextDeadline returns when advance will have something to do.
func (d *datagrams) nextDeadline() (time.Duration, bool) { return d.check, len(d.sessions) > 0 }

// advance unplugs those who are silent.
func (d *datagrams) advance(now time.Duration) {
	if len(d.sessions) == 0 || now < d.check {
		return
	}
	d.check = now + silence
	for from, s := range d.sessions {
		if s.heard+silence <= now {
			d.end(now, from, errSilent)
		} else {
			d.check = min(d.check, s.heard+silence)
		}
	}
}
