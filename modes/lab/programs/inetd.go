package programs

import (
	"fmt"
	"net/netip"
	"slices"

	"sock/modes"
)

// service is one that inetd starts.
type service struct {
	name string
	// stream serves one connection, reply answers one datagram; nil: there is
	// no such service over that transport.
	stream func(h modes.Host, s modes.Socket)
	reply  func(h modes.Host, data []byte) []byte
}

// services are all that there are.
func services() []service {
	return []service{
		{"echo", echo, func(_ modes.Host, data []byte) []byte { return data }},
		{"discard", discard, func(modes.Host, []byte) []byte { return nil }},
		{"daytime", daytime, func(h modes.Host, _ []byte) []byte { return timeOfDay(h) }},
		{"chargen", chargen, func(modes.Host, []byte) []byte { return chargenLine(0) }},
		{"shell", shell, nil},
	}
}

// IsService reports whether Inetd has a service: "echo", "discard", "daytime"
// or "chargen", over TCP and UDP, or the "shell" of rsh.
func IsService(name string) bool {
	return slices.ContainsFunc(services(), func(s service) bool { return s.name == name })
}

// Inetd offers a service, over each of the versions of IP, for ever. It
// returns, with status 1, when it cannot, and says why.
func Inetd(h modes.Host, name string, families ...modes.Family) int {
	err := fmt.Errorf("there is no such service")
	for _, s := range services() {
		if s.name == name {
			err = s.run(h, families)
		}
	}
	fmt.Fprintf(h.Stderr(), "%s: %s\n", name, capital(err))
	return 1
}

// run takes in connections and datagrams for ever, or returns why it cannot.
func (s service) run(h modes.Host, families []modes.Family) error {
	var in []modes.Interest
	var take []func(modes.Socket) error // what is to be done with each
	for _, f := range families {
		if s.stream != nil {
			ln, err := s.listen(h, f, modes.Stream)
			if err != nil {
				return err
			}
			in = append(in, modes.Interest{Socket: ln, Read: true})
			take = append(take, func(ln modes.Socket) error { return s.accept(h, ln) })
		}
		if s.reply != nil {
			u, err := s.listen(h, f, modes.Datagram)
			if err != nil {
				return err
			}
			in = append(in, modes.Interest{Socket: u, Read: true})
			take = append(take, func(u modes.Socket) error { s.answer(h, u); return nil })
		}
	}
	for {
		if err := h.Wait(in, -1); err != nil {
			return err
		}
		for i := range in {
			if !in[i].CanRead {
				continue
			}
			if err := take[i](in[i].Socket); err != nil {
				return err
			}
		}
	}
}

// listen makes the socket of the service.
func (s service) listen(h modes.Host, f modes.Family, kind modes.Type) (modes.Socket, error) {
	port, err := h.LookupService(s.name, kind)
	if err != nil {
		return nil, err
	}
	ln, err := h.Socket(f, kind)
	if err != nil {
		return nil, err
	}
	err = ln.Set(modes.ReuseAddr, 1)
	if err == nil {
		err = ln.Bind(netip.AddrPortFrom(netip.Addr{}, port))
	}
	if err == nil && kind == modes.Stream {
		err = ln.Listen(backlog)
	}
	if err != nil {
		ln.Close()
		return nil, err
	}
	return ln, nil
}

const backlog = 10

func (s service) accept(h modes.Host, ln modes.Socket) error {
	c, err := ln.Accept()
	if err != nil {
		return err
	}
	h.Serve(func(h modes.Host) {
		defer c.Close()
		s.stream(h, c)
	})
	return nil
}

// maxData is the longest datagram that there can be.
const maxData = 65507

// answer answers one datagram. Nobody is to learn of an answer that cannot be
// sent.
func (s service) answer(h modes.Host, u modes.Socket) {
	buf := make([]byte, maxData)
	d, err := u.ReadFrom(buf)
	if err != nil {
		return
	}
	if b := s.reply(h, buf[:d.N]); b != nil {
		_, _ = u.WriteTo(b, d.From)
	}
}

// echo is RFC 862.
func echo(_ modes.Host, s modes.Socket) {
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
func discard(_ modes.Host, s modes.Socket) {
	buf := make([]byte, 8192)
	for {
		if _, err := s.Read(buf); err != nil {
			return
		}
	}
}

// daytime is RFC 867.
func daytime(h modes.Host, s modes.Socket) { _, _ = s.Write(timeOfDay(h)) } // the client may be gone

func timeOfDay(h modes.Host) []byte {
	return []byte(h.Now().Format("Mon Jan _2 15:04:05 2006") + "\r\n")
}

// chargen is RFC 864.
func chargen(_ modes.Host, s modes.Socket) {
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
