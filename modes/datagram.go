package modes

import (
	"net/netip"
	"time"
)

// datagrams is the loop between the user and a UDP socket. What the user
// types goes to the connected peer, to the end point that an unconnected
// client was given, or to whoever a server heard from last.
type datagrams struct {
	*console
	s     Socket
	buf   []byte
	to    netip.AddrPort // where to send; not valid when connected
	fixed bool           // the socket is connected
	heard time.Time      // when the last datagram came, for -x
}

func (r *run) datagrams(s Socket, to netip.AddrPort) error {
	l := &datagrams{
		console: r.console(), s: s, buf: make([]byte, r.o.ReadSize), to: to, heard: r.Now(),
		fixed: !r.o.Server && !r.o.NoConnect || r.o.Foreign.IsValid(),
	}
	for {
		ended, err := l.turn()
		if ended || err != nil {
			return err
		}
	}
}

func (l *datagrams) turn() (ended bool, err error) {
	in := []Interest{
		// A server that nobody has written to yet has nobody to send to:
		// what is typed waits.
		{Read: l.open && (l.fixed || l.to.IsValid())},
		{Socket: l.s, Read: true},
	}
	d := time.Duration(-1)
	if x := l.o.ReadTimeout; x > 0 {
		d = max(0, x-l.Now().Sub(l.heard))
	}
	if err := l.Wait(in, d); err != nil {
		return false, l.fail("select error", "poll", err, l.s)
	}
	if in[0].CanRead {
		p, ended, err := l.read()
		if ended || err != nil {
			return ended, err
		}
		if p != nil {
			if err := l.send(p); err != nil {
				return false, err
			}
		}
	}
	if in[1].CanRead {
		return false, l.fromPeer()
	}
	if x := l.o.ReadTimeout; x > 0 && l.Now().Sub(l.heard) >= x {
		return false, l.fail("read error", "read", ErrTimeout, l.s)
	}
	return false, nil
}

func (l *datagrams) send(p []byte) error {
	l.pause(l.s)
	if l.fixed {
		if _, err := l.s.Write(p); err != nil {
			return l.fail("write error", "write", err, l.s)
		}
		return nil
	}
	if _, err := l.s.WriteTo(p, l.to); err != nil {
		f := l.fail("sendto error", "write", err, l.s).(*fault)
		f.Peer = l.to
		return f
	}
	return nil
}

func (l *datagrams) fromPeer() error {
	l.pause(l.s)
	if l.o.Peek {
		if n, err := l.s.Peek(l.buf); err == nil {
			l.moved("received", n, " (MSG_PEEK)")
		}
	}
	d, err := l.s.ReadFrom(l.buf)
	if err != nil {
		return l.fail("read error", "read", err, l.s)
	}
	l.heard = l.Now()
	if l.o.Server {
		l.to = d.From
	}
	l.announce(d)
	if l.o.Echo {
		return l.send(l.buf[:d.N])
	}
	return l.write(l.buf[:d.N], true)
}

// announce tells whom the datagram is from, on the line that its data go on
// when both are a terminal: "from 140.252.13.33, to 140.252.13.63: ".
func (l *datagrams) announce(d Received) {
	line := ""
	if l.o.Verbose > 0 && (l.o.Server || !l.fixed) {
		line = "from " + d.From.Addr().Unmap().String()
		if d.To.IsValid() {
			line += ", to " + d.To.Unmap().String()
		}
		line += ": "
	}
	if d.Truncated {
		line += "(datagram truncated)\n"
	}
	if line != "" {
		l.Stderr().Write([]byte(line))
	}
}
