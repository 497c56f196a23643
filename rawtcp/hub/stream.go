package hub

import (
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"time"
)

const (
	// joinTime is how long a connection may take to say whom it is of.
	joinTime = 5 * time.Second
	// waiting is how many bytes may wait for one plug to read them.
	waiting = 1 << 20
	// mourning is how long the death of a process may take to be known.
	mourning = time.Second
	// chunk is how many bytes are read at once, at least.
	chunk = 64 << 10
)

// accept serves those who connect to l, until it is closed.
func (h *Hub) accept(l net.Listener) {
	for {
		conn, err := l.Accept()
		if err != nil {
			if errors.Is(err, net.ErrClosed) {
				return
			}
			// Out of descriptors, for one: those who are there go on, and
			// whoever leaves makes room.
			select {
			case <-h.done:
				return
			case <-time.After(time.Second):
			}
			continue
		}
		h.serve(conn, whoIs(conn))
	}
}

// serve lets conn plug in, and returns at once.
func (h *Hub) serve(conn net.Conn, who string) {
	s := &stream{hub: h, conn: conn, out: newQueue(nil, waiting), buf: make([]byte, headerLen+maxText)}
	if !h.start(conn, func() { s.run(who) }) {
		_ = conn.Close() // it is for nothing
	}
}

// stream is a connection to a plug.
type stream struct {
	hub  *Hub
	conn net.Conn
	out  *queue
	buf  []byte
	n    int // bytes of buf that are read and not yet used
}

// run plugs in and stays until the connection ends.
func (s *stream) run(who string) {
	defer func() {
		s.hub.forget(s.conn)
		_ = s.conn.Close() // whoever it was has gone
	}()
	_ = s.conn.SetReadDeadline(time.Now().Add(joinTime)) // it is open
	p, err := s.join(who)
	if err != nil {
		if !errors.Is(err, io.EOF) && !errors.Is(err, net.ErrClosed) {
			_ = s.conn.SetWriteDeadline(time.Now().Add(joinTime))
			// It need not hear it.
			_, _ = s.conn.Write(appendMessage(nil, kindRefuse, err.Error()))
		}
		return
	}
	_ = s.conn.SetReadDeadline(time.Time{})
	written := make(chan struct{})
	go func() {
		defer close(written)
		// If it fails, so does the reader.
		_ = s.out.run(func(batch []byte) error {
			_, err := s.conn.Write(batch)
			return err
		})
	}()
	s.grow()
	if err = s.read(p); errors.Is(err, io.EOF) || errors.Is(err, net.ErrClosed) {
		err = nil
	}
	s.hub.leave(p, err)
	s.out.end()
	_ = s.conn.Close() // the writer may wait for it
	<-written
}

// join takes the first message, which must be a join.
func (s *stream) join(who string) (*port, error) {
	for {
		k, body, rest, ok, err := next(s.buf[:s.n], maxText)
		if err != nil {
			return nil, err
		}
		if !ok {
			if s.n == len(s.buf) {
				return nil, errJunk // it is too long for a join
			}
			err := s.fill()
			if errors.Is(err, os.ErrDeadlineExceeded) {
				err = fmt.Errorf("it has not joined within %v", joinTime)
			}
			if err != nil {
				return nil, err
			}
			continue
		}
		if k != kindJoin {
			return nil, errJunk
		}
		wanted, err := parseJoin(body)
		if err != nil {
			return nil, err
		}
		s.n = copy(s.buf, rest)
		return s.hub.join(wanted, who, s.out)
	}
}

// grow makes room for packets: those who have not joined cost little.
func (s *stream) grow() {
	s.buf = append(make([]byte, 0, chunk+headerLen+maxMTU), s.buf[:s.n]...)
	s.buf = s.buf[:cap(s.buf)]
}

// fill reads more. It returns io.EOF if the plug has gone.
func (s *stream) fill() error {
	n, err := s.conn.Read(s.buf[s.n:])
	s.n += n
	if n > 0 {
		return nil // what ends it will come again
	}
	if isReset(err) {
		err = io.EOF
	}
	return err
}

// read puts on the wire what comes, until it ends, and returns why: io.EOF or
// net.ErrClosed if that is as it should be.
func (s *stream) read(p *port) error {
	for {
		rest, err := s.hub.receive(p, s.buf[:s.n])
		if err != nil {
			return err
		}
		s.n = copy(s.buf, rest)
		if err := s.fill(); err != nil {
			return err
		}
	}
}

// join plugs in, and welcomes. Whoever has an address that is wanted may have just
// died: that is known as soon as all that he sent has been read.
func (h *Hub) join(wanted []string, who string, out *queue) (*port, error) {
	late := time.NewTimer(mourning)
	defer late.Stop()
	for {
		p, err := h.joinNow(wanted, who, out)
		var t *takenError
		if !errors.As(err, &t) {
			return p, err
		}
		select {
		case <-t.owner.left:
		case <-late.C:
			return nil, err
		case <-h.done:
			return nil, net.ErrClosed
		}
	}
}

func (h *Hub) joinNow(wanted []string, who string, out *queue) (*port, error) {
	h.lock()
	defer h.unlock()
	if h.closed {
		return nil, net.ErrClosed
	}
	p, err := h.cable.join(h.now, wanted, who, out)
	if err == nil {
		out.say(kindWelcome, h.cable.welcome(p))
	}
	return p, err
}

// leave unplugs p.
func (h *Hub) leave(p *port, why error) {
	h.lock()
	defer h.unlock()
	h.cable.leave(h.now, p, why)
}

// receive puts the packets of the messages in b on the wire, and returns what
// follows them.
func (h *Hub) receive(p *port, b []byte) (rest []byte, err error) {
	if len(b) < headerLen {
		return b, nil
	}
	h.lock()
	defer h.unlock()
	if h.closed {
		return nil, net.ErrClosed
	}
	for {
		k, body, rest, ok, err := next(b, h.cable.mtu)
		if err != nil {
			return nil, err
		}
		if !ok {
			return b, nil
		}
		switch k {
		case kindPacket:
		case kindLeave:
			return nil, io.EOF
		case kindEstate:
			return nil, h.cable.bequeath(p, body)
		default:
			return nil, errJunk
		}
		h.cable.send(h.now, p, body)
		b = rest
	}
}

// put puts one packet on the wire.
func (h *Hub) put(p *port, packet []byte) {
	h.lock()
	defer h.unlock()
	if !h.closed {
		h.cable.send(h.now, p, packet)
	}
}
