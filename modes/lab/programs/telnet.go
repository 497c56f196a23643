package programs

import (
	"bytes"
	"fmt"
	"net/netip"
	"strconv"
	"strings"
	"unicode/utf8"

	"sock/modes"
)

// TelnetEscape is the key ^], which ends a line and turns to telnet itself.
const TelnetEscape = 0x1d

// TelnetUsage is all that this telnet takes.
const TelnetUsage = "usage: telnet [-S tos] host [port]\n"

// LineEnder is a Host that can have a key end a line at its terminal, beside
// the newline (VEOL).
type LineEnder interface{ EndLinesAt(key byte) }

// Telnet is the client of the book: it opens a connection, sends lines with CR
// LF, and closes it with ^] and "quit". It returns its exit status.
func Telnet(h modes.Host, args []string) int {
	args = args[1:]
	tos := -1
	if len(args) > 1 && args[0] == "-S" {
		n, err := strconv.ParseUint(args[1], 0, 8)
		if err != nil {
			args = nil
		} else {
			tos, args = int(n), args[2:]
		}
	}
	if len(args) < 1 || len(args) > 2 {
		fmt.Fprint(h.Stderr(), TelnetUsage)
		return 1
	}
	to, err := resolve(h, args[0], append(args, "telnet")[1])
	if err != nil {
		fmt.Fprintln(h.Stderr(), err)
		return 1
	}
	fmt.Fprintf(h.Stdout(), "Trying %s...\n", to.Addr())
	s, err := dial(h, to, tos)
	if err != nil {
		fmt.Fprintf(h.Stderr(), "telnet: Unable to connect to remote host: %s\n", capital(err))
		return 1
	}
	defer s.Close()
	fmt.Fprintf(h.Stdout(), "Connected to %s.\nEscape character is '^]'.\n", args[0])
	if t, ok := h.(LineEnder); ok {
		t.EndLinesAt(TelnetEscape)
	}
	return telnet{h, s}.talk()
}

// resolve gives a host and a port, or a service, as an end point.
func resolve(h modes.Host, host, service string) (netip.AddrPort, error) {
	a, err := h.LookupHost(host, modes.IPv4)
	if err != nil {
		return netip.AddrPort{}, fmt.Errorf("%s: unknown host", host)
	}
	port, err := strconv.ParseUint(service, 10, 16)
	if err != nil {
		p, err := h.LookupService(service, modes.Stream)
		if err != nil {
			return netip.AddrPort{}, fmt.Errorf("tcp/%s: unknown service", service)
		}
		port = uint64(p)
	}
	return netip.AddrPortFrom(a, uint16(port)), nil
}

// dial opens a connection, with a type of service if that is not negative.
func dial(h modes.Host, to netip.AddrPort, tos int) (modes.Socket, error) {
	s, err := h.Socket(modes.IPv4, modes.Stream)
	if err != nil {
		return nil, err
	}
	if tos >= 0 {
		err = s.Set(modes.TOS, tos)
	}
	if err == nil {
		err = s.Connect(to, 0)
	}
	if err != nil {
		s.Close()
		return nil, err
	}
	return s, nil
}

// telnet is one that has its connection.
type telnet struct {
	modes.Host
	s modes.Socket
}

// talk is the loop between the terminal and the connection.
func (t telnet) talk() int {
	buf := make([]byte, 1024)
	var from nvt
	for {
		in := []modes.Interest{{Read: true}, {Socket: t.s, Read: true}}
		if err := t.Wait(in, -1); err != nil {
			return 1
		}
		if in[0].CanRead {
			n, err := t.Stdin(buf)
			line := buf[:n]
			if err != nil || bytes.HasSuffix(line, []byte{TelnetEscape}) && t.command() {
				fmt.Fprintln(t.Stdout(), "Connection closed.")
				return 0
			}
			line = bytes.TrimSuffix(line, []byte{TelnetEscape})
			if _, err := t.s.Write(bytes.ReplaceAll(line, []byte("\n"), []byte("\r\n"))); err != nil {
				return t.lost(err)
			}
		}
		if in[1].CanRead {
			n, err := t.s.Read(buf)
			if err != nil {
				return t.lost(err)
			}
			_, _ = t.Stdout().Write(from.text(buf[:n])) // never fails
		}
	}
}

// lost is the end of a connection that the user has not closed. Berkeley's
// telnet says the same whatever the reason.
func (t telnet) lost(error) int {
	fmt.Fprintln(t.Stdout(), "Connection closed by foreign host.")
	return 1
}

// command reads a command to telnet itself, and reports whether it is to end.
func (t telnet) command() (quit bool) {
	fmt.Fprint(t.Stdout(), "telnet> ")
	buf := make([]byte, 256)
	n, err := t.Stdin(buf)
	switch word := strings.TrimSpace(string(buf[:n])); {
	case err != nil:
		return true
	case word == "":
		return false
	default:
		return strings.HasPrefix("quit", word) || strings.HasPrefix("close", word)
	}
}

// nvt is what a network virtual terminal does to what it receives (RFC 854).
type nvt struct {
	command int // bytes of a command that are still to come
}

// text returns the text of p: lines end in LF, and commands, to which the
// answer would be no, are left out.
func (v *nvt) text(p []byte) []byte {
	const iac, will, dont = 255, 251, 254
	var out []byte
	for _, c := range p {
		switch {
		case v.command == 2: // what follows IAC
			v.command = 0
			if c >= will && c <= dont {
				v.command = 1 // the option
			}
		case v.command == 1:
			v.command = 0
		case c == iac:
			v.command = 2
		case c != '\r':
			out = append(out, c)
		}
	}
	return out
}

// capital is an error's text as strerror(3) has it.
func capital(err error) string {
	s := err.Error()
	_, n := utf8.DecodeRuneInString(s)
	return strings.ToUpper(s[:n]) + s[n:]
}
