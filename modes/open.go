package modes

import "net/netip"

// client opens actively and does what was asked on the connection.
func (r *run) client() error {
	peer, err := r.resolve()
	if err != nil {
		return err
	}
	if name := r.o.File; name != "" {
		if r.file, err = r.Open(name); err != nil {
			f := r.fail("can't open "+name, "open", err, nil).(*fault)
			f.Name = name
			return f
		}
		defer r.file.Close()
	}
	local := netip.AddrPortFrom(r.o.LocalAddr, r.o.LocalPort)
	bind := local.Addr().IsValid() || local.Port() != 0 || r.o.NoConnect
	s, err := r.prepare(local, bind, peer.Addr())
	if err != nil {
		return err
	}
	if !r.o.NoConnect {
		if err := r.connect(s, peer); err != nil {
			s.Close()
			return err
		}
	}
	if here, err := s.Local(); err == nil {
		r.verbosef("connected on %s to %s", endpoint(here), endpoint(peer))
	}
	if r.o.NoConnect {
		return r.serve(s, peer)
	}
	return r.serve(s, netip.AddrPort{})
}

func (r *run) connect(s Socket, peer netip.AddrPort) error {
	err := s.Connect(peer, r.o.ConnectTimeout)
	if err == nil {
		return nil
	}
	text := "active open error"
	if r.o.UDP {
		text = "connect() error"
	}
	f := r.fail(text, "connect", err, s).(*fault)
	f.Peer = peer
	return f
}

// tcpServer serves one connection, or under -F every one that comes.
func (r *run) tcpServer() error {
	local, err := r.resolve()
	if err != nil {
		return err
	}
	ln, err := r.prepare(local, true, netip.Addr{})
	if err != nil {
		return err
	}
	defer ln.Close()
	if err := ln.Listen(r.o.Backlog); err != nil {
		return r.fail("listen() error", "listen", err, ln)
	}
	r.listening(ln)
	r.sleep(r.o.PauseListen, ln)
	for {
		s, err := ln.Accept()
		if err != nil {
			return r.fail("accept() error", "accept", err, ln)
		}
		r.accepted(s)
		if !r.o.Fork {
			return r.serve(s, netip.AddrPort{})
		}
		r.Serve(func(h Host) {
			child := &run{Host: h, o: r.o}
			if err := child.serve(s, netip.AddrPort{}); err != nil {
				child.complain(err)
			}
		})
	}
}

// accepted tells of an accepted connection. The book's program leaves that to
// the child, and which of two is first to chance.
func (r *run) accepted(s Socket) {
	here, err := s.Local()
	if err == nil {
		var peer netip.AddrPort
		if peer, err = s.Peer(); err == nil {
			r.verbosef("connection on %s from %s", endpoint(here), endpoint(peer))
		}
	}
	// A client that is gone already (accept gives its connection all the
	// same) has no peer name any more; the first read tells what became of it.
}

func (r *run) udpServer() error {
	local, err := r.resolve()
	if err != nil {
		return err
	}
	s, err := r.prepare(local, true, netip.Addr{})
	if err != nil {
		return err
	}
	if r.o.Foreign.IsValid() {
		if err := r.connect(s, r.o.Foreign); err != nil {
			s.Close()
			return err
		}
	}
	r.listening(s)
	return r.serve(s, netip.AddrPort{})
}

// listening tells a script, under -v, that a client may come now. The book's
// program says nothing here.
func (r *run) listening(s Socket) {
	if here, err := s.Local(); err == nil && !r.o.BookMessages {
		r.verbosef("listening on %s", endpoint(here))
	}
}

// serve does the work on an open socket and closes it. peer is where an
// unconnected client sends to.
func (r *run) serve(s Socket, peer netip.AddrPort) (err error) {
	defer func() {
		if cerr := s.Close(); cerr != nil && err == nil {
			err = r.fail("close error", "close", cerr, nil)
		}
	}()
	if err := r.set(s, r.afterOpen()); err != nil {
		return err
	}
	r.report(s)
	r.sleep(r.o.PauseFirst, s)
	err = r.work(s, peer)
	r.info(s)
	if err != nil {
		return err
	}
	if r.o.PauseClose != 0 {
		r.verbosef("pausing before close")
		r.sleep(r.o.PauseClose, s)
	}
	return nil
}

func (r *run) work(s Socket, peer netip.AddrPort) error {
	switch {
	case r.o.Bulk && r.o.Server:
		return r.sink(s)
	case r.o.Bulk:
		return r.source(s, peer)
	}
	restore, err := r.cbreak()
	if err != nil {
		return err
	}
	defer restore()
	if r.o.UDP {
		return r.datagrams(s, peer)
	}
	return r.stream(s)
}

func (r *run) cbreak() (restore func(), err error) {
	if !r.o.Cbreak {
		return func() {}, nil
	}
	restore, err = r.Cbreak()
	if err != nil {
		return nil, r.fail("can't set cbreak mode", "tcsetattr", err, nil)
	}
	return restore, nil
}

// info prints TCP_INFO as the connection's last act.
func (r *run) info(s Socket) {
	if !r.o.TCPInfo || r.o.JSON {
		return
	}
	info, err := s.Info()
	if err != nil {
		r.printf("TCP_INFO getsockopt error: %s", strerror(err))
		return
	}
	for _, f := range info {
		r.printf("TCP_INFO: %s = %v", f.Name, f.Value)
	}
}
