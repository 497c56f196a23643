package modes

import (
	"errors"
	"fmt"
	"io"
	"net/netip"
	"strconv"
	"time"
	"unicode"
	"unicode/utf8"

	"sock/opts"
)

// Run does what the command line asked for on the host, and gives the exit
// status: 0, or 1 after a failure that has been reported on standard error.
func Run(h Host, o *opts.Options) int {
	r := &run{Host: h, o: o}
	var err error
	switch {
	case o.Server && o.UDP:
		err = r.udpServer()
	case o.Server:
		err = r.tcpServer()
	default:
		err = r.client()
	}
	if err != nil {
		r.complain(err)
		return 1
	}
	return 0
}

// run is one command line on one host: the main one, or that of one client
// served under -F.
type run struct {
	Host
	o     *opts.Options
	file  io.ReadCloser // --file; nil without
	begun bool          // the first read or write has been made: -p applies from now on
}

func (r *run) family() Family {
	if r.o.IPv6 {
		return IPv6
	}
	return IPv4
}

func (r *run) transport() Type {
	if r.o.UDP {
		return Datagram
	}
	return Stream
}

// printf writes one line on standard error, in one write, so that lines of
// clients that are served at the same time never mix.
func (r *run) printf(format string, a ...any) {
	fmt.Fprintf(r.Stderr(), format+"\n", a...)
}

// verbosef is printf under -v.
func (r *run) verbosef(format string, a ...any) {
	if r.o.Verbose > 0 {
		r.printf(format, a...)
	}
}

// fault is a call that failed, under the name that the book gives it.
type fault struct {
	text string
	Failure
}

func (f *fault) Error() string { return f.text + ": " + strerror(f.Err) }
func (f *fault) Unwrap() error { return f.Err }

// fail wraps what a call gave in the book's words for it, and collects what
// an explanation may need. s may be nil.
func (r *run) fail(text, call string, err error, s Socket) error {
	f := &fault{text: text, Failure: Failure{
		Call: call, Err: err, Type: r.transport(), Reuse: r.o.ReuseAddr, Share: r.o.ReusePort,
	}}
	if s != nil {
		f.Local, _ = s.Local()
		f.Peer, _ = s.Peer()
	}
	return f
}

// complain prints the failure as the book's program would, and under it, when
// it is known, the reason and the remedy.
func (r *run) complain(err error) {
	text := err.Error()
	var f *fault
	if !r.o.BookMessages && errors.As(err, &f) {
		if why := r.Explain(f.Failure); why != "" {
			text += "\n" + why
		}
	}
	r.printf("%s", text)
}

// strerror is an error's text as strerror(3) has it: with a capital.
func strerror(err error) string {
	s := err.Error()
	c, n := utf8.DecodeRuneInString(s)
	return string(unicode.ToUpper(c)) + s[n:]
}

// endpoint is the book's notation, for both versions of IP: addr.port.
func endpoint(a netip.AddrPort) string {
	return a.Addr().Unmap().String() + "." + strconv.Itoa(int(a.Port()))
}

// resolve gives the operands as an address and a port.
func (r *run) resolve() (netip.AddrPort, error) {
	addr := netip.IPv4Unspecified()
	if r.o.IPv6 {
		addr = netip.IPv6Unspecified()
	}
	if r.o.Host != "" {
		a, err := r.host(r.o.Host)
		if err != nil {
			return netip.AddrPort{}, err
		}
		addr = a
	}
	port, err := r.port()
	return netip.AddrPortFrom(addr, port), err
}

func (r *run) host(name string) (netip.Addr, error) {
	a, err := r.LookupHost(name, r.family())
	if err != nil {
		f := &fault{text: "invalid hostname: " + name, Failure: Failure{Call: "lookup host", Err: err, Name: name}}
		return a, f
	}
	return a, nil
}

func (r *run) port() (uint16, error) {
	if n, err := strconv.ParseUint(r.o.Service, 10, 16); err == nil {
		return uint16(n), nil
	}
	n, err := r.LookupService(r.o.Service, r.transport())
	if err != nil {
		name := r.o.Service + "/" + r.transport().Network()
		return 0, &fault{text: "unknown service: " + name, Failure: Failure{Call: "lookup service", Err: err, Name: name}}
	}
	return n, nil
}

// stdout writes data on standard output.
func (r *run) stdout(p []byte) error {
	if _, err := r.Stdout().Write(p); err != nil {
		return r.fail("write error to stdout", "write stdout", err, nil)
	}
	return nil
}

// sleep is a pause, of a time or until a line is typed. What follows the line is
// left; the end of standard input ends the pause too, and that of the network of s.
func (r *run) sleep(d time.Duration, s Socket) {
	if d != opts.UntilLine {
		if d > 0 {
			r.Sleep(d)
		}
		return
	}
	var b [1]byte
	for b[0] != '\n' {
		if err := r.Wait([]Interest{{Read: true}, {Socket: s}}, -1); err != nil {
			return // the call that follows says so
		}
		if n, err := r.Stdin(b[:]); n == 0 || err != nil {
			return // whoever reads it next is told why
		}
	}
}

// readStdin reads standard input, with io.EOF left bare.
func (r *run) readStdin(p []byte) (int, error) {
	n, err := r.Stdin(p)
	if err != nil && err != io.EOF {
		return 0, r.fail("read error from stdin", "read stdin", err, nil)
	}
	return n, err
}

// plural keeps "wrote 1 byte" and "wrote 2 bytes" English.
func plural(n int, unit string) string {
	if n != 1 {
		unit += "s"
	}
	return strconv.Itoa(n) + " " + unit
}
