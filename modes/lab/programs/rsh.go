package programs

import (
	"bytes"
	"fmt"
	"io"
	"net/netip"
	"slices"
	"strings"

	"sock/modes"
)

// Rsh runs a command on another host: "rsh bsdi sort". What it reads goes to
// the command, with a half-close at its end; what the command answers is
// printed. (Section 18.5) It returns its exit status.
func Rsh(h modes.Host, args []string) int {
	if len(args) < 3 {
		fmt.Fprint(h.Stderr(), "usage: rsh host command\n")
		return 1
	}
	refused, err := remote(h, args[1], strings.Join(args[2:], " "))
	if err != nil {
		fmt.Fprintf(h.Stderr(), "%s: %s\n", args[1], capital(err))
	}
	if err != nil || refused {
		return 1
	}
	return 0
}

// remote runs the command. refused says that the other host would not; then
// what was printed says why.
func remote(h modes.Host, host, command string) (refused bool, err error) {
	to, err := resolve(h, host, "shell")
	if err != nil {
		return false, err
	}
	s, err := reserved(h, to)
	if err != nil {
		return false, err
	}
	defer s.Close()
	// The port for standard error (none), who asks, as whom, and what for.
	if _, err := s.Write([]byte("\x00user\x00user\x00" + command + "\x00")); err != nil {
		return false, err
	}
	answer := make([]byte, 1)
	if _, err := s.Read(answer); err != nil {
		return false, err
	}
	return answer[0] != 0, pump(h, s)
}

// addressInUse is the text of EADDRINUSE, which each kind of host has in a type
// of its own.
const addressInUse = "address already in use"

// reserved opens a connection from a port below 1024, which proves to a
// Berkeley system that it is the superuser's program that asks.
func reserved(h modes.Host, to netip.AddrPort) (modes.Socket, error) {
	for port := uint16(1023); ; port-- {
		s, err := h.Socket(modes.IPv4, modes.Stream)
		if err != nil {
			return nil, err
		}
		err = s.Bind(netip.AddrPortFrom(netip.IPv4Unspecified(), port))
		if err == nil {
			err = s.Connect(to, 0)
		}
		if err == nil {
			return s, nil
		}
		s.Close()
		if err.Error() != addressInUse || port == 512 {
			return nil, err
		}
	}
}

// pump copies standard input to s and s to standard output, until s ends.
func pump(h modes.Host, s modes.Socket) error {
	buf := make([]byte, 1024)
	open := true
	for {
		in := []modes.Interest{{Read: open}, {Socket: s, Read: true}}
		if err := h.Wait(in, -1); err != nil {
			return err
		}
		if in[0].CanRead {
			n, err := h.Stdin(buf)
			if err != nil {
				open = false
				err = s.CloseWrite()
			} else {
				_, err = s.Write(buf[:n])
			}
			if err != nil {
				return err
			}
		}
		if in[1].CanRead {
			n, err := s.Read(buf)
			switch {
			case err == io.EOF:
				return nil
			case err != nil:
				return err
			}
			_, _ = h.Stdout().Write(buf[:n]) // never fails
		}
	}
}

// shell is the server of rsh. It knows one command, sort.
func shell(_ modes.Host, s modes.Socket) {
	r := &lineReader{s: s}
	var words [4]string
	for i := range words {
		word, err := r.until(0)
		if err != nil {
			return
		}
		words[i] = word
	}
	if words[3] != "sort" {
		_, _ = s.Write([]byte("\x01" + words[3] + ": not found\n")) // the client may be gone
		return
	}
	if _, err := s.Write([]byte{0}); err != nil {
		return
	}
	var lines []string
	for {
		line, err := r.until('\n')
		if line != "" {
			lines = append(lines, strings.TrimSuffix(line, "\n")+"\n")
		}
		if err == io.EOF {
			break
		} else if err != nil {
			return
		}
	}
	slices.Sort(lines)
	_, _ = s.Write([]byte(strings.Join(lines, "")))
}

// lineReader reads a connection piece by piece.
type lineReader struct {
	s    modes.Socket
	have []byte
}

// until returns what comes before the byte end, which is left out if it is 0;
// at the end of the connection, the rest with io.EOF.
func (r *lineReader) until(end byte) (string, error) {
	for {
		if i := bytes.IndexByte(r.have, end); i >= 0 {
			word := string(r.have[:i+1])
			r.have = r.have[i+1:]
			if end == 0 {
				word = word[:i]
			}
			return word, nil
		}
		buf := make([]byte, 1024)
		n, err := r.s.Read(buf)
		if err != nil {
			rest := string(r.have)
			r.have = nil
			return rest, err
		}
		r.have = append(r.have, buf[:n]...)
	}
}
