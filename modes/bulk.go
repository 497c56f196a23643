package modes

import (
	"errors"
	"fmt"
	"io"
	"net/netip"
	"strings"
)

// source writes data of its own, -n times or until the end of --file.
func (r *run) source(s Socket, to netip.AddrPort) error {
	next := r.supply()
	m := r.meter(s, "wrote")
	defer m.finish()
	for i := 1; r.file != nil && !r.o.NGiven || i <= r.o.Writes; i++ {
		p, err := next()
		if err == io.EOF {
			break
		} else if err != nil {
			return err
		}
		r.pause(s)
		n, err := r.writeOne(s, p, to)
		if err == nil {
			m.add(n)
			r.moved("wrote", n)
		} else if !r.o.KeepOn {
			return err
		} else {
			r.printf("%s", err)
			s.Err() // a pending error would fail the next write too
		}
		if i == r.o.Urgent {
			if err := s.WriteUrgent(byte(i)); err != nil {
				return r.fail("send of MSG_OOB returned -1, expected 1", "write", err, s)
			}
			m.add(1)
			r.moved("wrote", 1, " of urgent data")
		}
	}
	return nil
}

// writeOne is one write of the source; one that was taken in part failed.
func (r *run) writeOne(s Socket, p []byte, to netip.AddrPort) (int, error) {
	var n int
	var err error
	call := "write"
	if to.IsValid() {
		call = "sendto"
		n, err = s.WriteTo(p, to)
	} else {
		n, err = s.Write(p)
	}
	if err == nil {
		return n, nil
	}
	got := -1 // what write(2) returns with an error
	if n > 0 {
		got = n
	}
	f := r.fail(fmt.Sprintf("%s returned %d, expected %d", call, got, len(p)), "write", err, s).(*fault)
	if to.IsValid() {
		f.Peer = to
	}
	return n, f
}

// supply gives the source its data: the contents of --file in pieces of -w
// bytes, or the same buffer of printable characters for ever.
func (r *run) supply() (next func() ([]byte, error)) {
	buf := make([]byte, r.o.WriteSize)
	if r.file == nil {
		fillPattern(buf)
		return func() ([]byte, error) { return buf, nil }
	}
	return func() ([]byte, error) {
		n, err := io.ReadFull(r.file, buf)
		switch err {
		case nil, io.ErrUnexpectedEOF:
			return buf[:n], nil
		case io.EOF:
			return nil, err
		}
		return nil, r.fail("can't read "+r.o.File, "read file", err, nil)
	}
}

// fillPattern fills p with the 95 printable ASCII characters, over and over.
func fillPattern(p []byte) {
	for i := range p {
		p[i] = byte(' ' + i%95)
	}
}

// sink reads and throws away: a stream to its end, datagrams for ever.
func (r *run) sink(s Socket) error {
	buf := make([]byte, r.o.ReadSize)
	m := r.meter(s, "received")
	defer m.finish()
	for {
		r.pause(s)
		if r.o.Peek {
			n, err := s.Peek(buf)
			if err == nil {
				r.moved("received", n, " (MSG_PEEK)")
			}
		}
		n, err := s.Read(buf)
		if errors.Is(err, io.EOF) {
			break
		} else if err != nil {
			return r.fail("read error", "read", err, s)
		}
		m.add(n)
		r.moved("received", n)
	}
	r.verbosef("connection closed by peer")
	return nil
}

// pause is -p: before each read or write but the first, which -P is for.
func (r *run) pause(s Socket) {
	if r.begun {
		r.sleep(r.o.PauseEach, s)
	}
	r.begun = true
}

// moved is the -v line of one read or write.
func (r *run) moved(verb string, n int, what ...string) {
	if r.o.Verbose > 0 {
		r.printf("%s %s%s", verb, plural(n, "byte"), strings.Join(what, ""))
	}
}
