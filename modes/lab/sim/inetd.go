package sim

import (
	"fmt"
	"net/netip"
	"slices"

	"sock/modes"
)

// serving is a service of inetd.
type serving struct {
	name string
	// stream serves one connection, reply answers one datagram; nil: there is
	// no such service over that transport.
	stream func(t *task, s modes.Socket)
	reply  func(t *task, data []byte) []byte
}

// serves returns what serves a name; ok is false if nothing does.
func serves(name string) (s serving, ok bool) {
	switch name {
	case "echo":
		return serving{name, echo, func(_ *task, data []byte) []byte { return data }}, true
	case "discard":
		return serving{name, discard, func(*task, []byte) []byte { return nil }}, true
	case "daytime":
		return serving{name, daytime, func(t *task, _ []byte) []byte { return t.daytime() }}, true
	case "chargen":
		return serving{name, chargen, func(*task, []byte) []byte { return chargenLine(0) }}, true
	case "shell":
		return serving{name, shell, nil}, true
	}
	return serving{}, false
}

// Serve has h offer a service from now on, and after each boot: "echo",
// "discard", "daytime" or "chargen", over TCP and UDP, or the "shell" of rsh.
// The process is nil while h is down.
func (h *Host) Serve(name string) (*Process, error) {
	s, ok := serves(name)
	if !ok {
		return nil, fmt.Errorf("there is no service %q", name)
	}
	h.services = append(h.services, s)
	if !h.Node.Up() {
		return nil, nil
	}
	return s.start(h), nil
}

func (s serving) start(h *Host) *Process {
	return h.start([]string{"inetd", s.name}, func(t *task, _ []string) int {
		fmt.Fprintf(t.Stderr(), "%s: %s\n", s.name, capital(s.run(t)))
		return 1
	})
}

// run takes in connections and datagrams for ever, or returns why it cannot.
func (s serving) run(t *task) error {
	var in []modes.Interest
	for _, f := range t.proc.h.families() {
		if s.stream != nil {
			ln, err := t.listen(s.name, f, modes.Stream)
			if err != nil {
				return err
			}
			in = append(in, modes.Interest{Socket: ln, Read: true})
		}
		if s.reply != nil {
			u, err := t.listen(s.name, f, modes.Datagram)
			if err != nil {
				return err
			}
			in = append(in, modes.Interest{Socket: u, Read: true})
		}
	}
	for {
		if err := t.Wait(in, -1); err != nil {
			return err
		}
		for _, i := range in {
			if !i.CanRead {
				continue
			}
			if u, ok := i.Socket.(*datagrams); ok {
				s.answer(t, u)
			} else if err := s.accept(t, i.Socket); err != nil {
				return err
			}
		}
	}
}

// families are those that h has addresses of.
func (h *Host) families() []modes.Family {
	all := []modes.Family{modes.IPv4}
	if slices.ContainsFunc(h.Node.Addresses(), func(a netip.Prefix) bool { return a.Addr().Is6() }) {
		all = append(all, modes.IPv6)
	}
	return all
}

// listen makes the socket of a service.
func (t *task) listen(name string, f modes.Family, kind modes.Type) (modes.Socket, error) {
	port, err := t.LookupService(name, kind)
	if err != nil {
		return nil, err
	}
	s, err := t.Socket(f, kind)
	if err != nil {
		return nil, err
	}
	err = s.Set(modes.ReuseAddr, 1)
	if err == nil {
		err = s.Bind(orAny(netip.AddrPortFrom(netip.Addr{}, port), f))
	}
	if err == nil && kind == modes.Stream {
		err = s.Listen(inetdBacklog)
	}
	if err != nil {
		s.Close()
		return nil, err
	}
	return s, nil
}

const inetdBacklog = 10

func (s serving) accept(t *task, ln modes.Socket) error {
	c, err := ln.Accept()
	if err != nil {
		return err
	}
	t.Serve(func(h modes.Host) {
		defer c.Close()
		s.stream(h.(*task), c)
	})
	return nil
}

// answer answers one datagram. Nobody is to learn of an answer that cannot be
// sent.
func (s serving) answer(t *task, u *datagrams) {
	buf := make([]byte, maxUDPData)
	d, err := u.ReadFrom(buf)
	if err != nil {
		return
	}
	if b := s.reply(t, buf[:d.N]); b != nil {
		_, _ = u.WriteTo(b, d.From)
	}
}

// echo is RFC 862.
func echo(_ *task, s modes.Socket) {
	buf := make([]byte, 8192)
	for {
		n, err := s.Read(buf)
		if err != nil {
			return
		}
		if _, err := s.Write(buf[:n]); err != nil {
			return
		}
	}
}

// discard is RFC 863.
func discard(_ *task, s modes.Socket) {
	buf := make([]byte, 8192)
	for {
		if _, err := s.Read(buf); err != nil {
			return
		}
	}
}

// daytime is RFC 867.
func daytime(t *task, s modes.Socket) { _, _ = s.Write(t.daytime()) } // the client may be gone

func (t *task) daytime() []byte {
	return []byte(t.Now().Format("Mon Jan _2 15:04:05 2006") + "\r\n")
}

// chargen is RFC 864.
func chargen(_ *task, s modes.Socket) {
	for i := 0; ; i++ {
		if _, err := s.Write(chargenLine(i)); err != nil {
			return
		}
	}
}

// chargenLine is "a popular pattern [...] 72 character lines of the ASCII
// printing characters", of which there are 95, each line beginning one further.
func chargenLine(i int) []byte {
	line := make([]byte, 0, 74)
	for j := range 72 {
		line = append(line, byte(' '+(i+j)%95))
	}
	return append(line, '\r', '\n')
}
