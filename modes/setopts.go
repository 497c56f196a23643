package modes

import (
	"fmt"
	"net/netip"
	"time"
)

// setting is one socket option that the command line asked for.
type setting struct {
	o     Option
	name  string // as in the sockets API
	value int
	loose bool // the system may round it: what it gives back is not compared
}

// beforeBind are the options that decide whether an address may be shared.
func (r *run) beforeBind() (list []setting) {
	return given(
		flag(r.o.ReuseAddr, ReuseAddr, "SO_REUSEADDR"),
		flag(r.o.ReusePort, ReusePort, "SO_REUSEPORT"),
	)
}

// beforeOpen are the options that the first segment depends on, or that a
// listening socket hands down to those it accepts. They are set before
// connect or listen: the receive buffer decides the window and its scale in
// the SYN, the maximum segment size its MSS option.
func (r *run) beforeOpen() []setting {
	o := r.o
	return given(
		number(o.RecvBuf, 0, RecvBuf, "SO_RCVBUF"),
		number(o.SendBuf, 0, SendBuf, "SO_SNDBUF"),
		flag(o.Debug, Debug, "SO_DEBUG"),
		flag(o.DontRoute, DontRoute, "SO_DONTROUTE"),
		flag(o.DontFragment, DontFragment, "IP_DONTFRAG"),
		number(o.TOS, -1, TOS, "IP_TOS"),
		number(o.TTL, -1, TTL, "IP_TTL"),
		number(o.MaxSeg, 0, MaxSeg, "TCP_MAXSEG"),
		flag(o.Broadcast, Broadcast, "SO_BROADCAST"),
		flag(o.OnesBroadcast, OnesBroadcast, "IP_ONESBCAST"),
		number(o.MulticastTTL, -1, MulticastTTL, "IP_MULTICAST_TTL"),
		flag(o.RecvDstAddr, RecvDstAddr, "IP_RECVDSTADDR"),
		flag(o.AsyncIO, AsyncIO, "FIOASYNC"),
	)
}

// afterOpen are the options of a connection, set when it stands. (-x and -y
// would otherwise also bound accept and connect.)
func (r *run) afterOpen() []setting {
	o := r.o
	list := given(
		flag(o.KeepAlive, KeepAlive, "SO_KEEPALIVE"),
		flag(o.NoDelay, NoDelay, "TCP_NODELAY"),
		number(o.Linger, -1, Linger, "SO_LINGER"),
		number(int(o.ReadTimeout/time.Microsecond), 0, RecvTimeout, "SO_RCVTIMEO"),
		number(int(o.WriteTimeout/time.Microsecond), 0, SendTimeout, "SO_SNDTIMEO"),
	)
	if o.Server && o.AsyncIO {
		list = append(list, setting{o: AsyncIO, name: "FIOASYNC", value: 1})
	}
	return list
}

func flag(on bool, o Option, name string) setting {
	if !on {
		return setting{}
	}
	return setting{o: o, name: name, value: 1}
}

func number(v, off int, o Option, name string) setting {
	if v == off {
		return setting{}
	}
	loose := o == MaxSeg || o == RecvTimeout || o == SendTimeout
	return setting{o: o, name: name, value: v, loose: loose}
}

// given drops the settings that were not asked for.
func given(all ...setting) []setting {
	list := all[:0]
	for _, s := range all {
		if s.name != "" {
			list = append(list, s)
		}
	}
	return list
}

// set applies the settings and reads each one back: an option that the system
// took without a word and did not keep would make the experiment a lie.
func (r *run) set(s Socket, list []setting) error {
	for _, x := range list {
		if err := s.Set(x.o, x.value); err != nil {
			return r.optionFault(x.name+" setsockopt error", "setsockopt", x.name, err)
		}
		if x.loose {
			continue
		}
		got, err := s.Get(x.o)
		switch {
		case err != nil:
			return r.optionFault(x.name+" getsockopt error", "getsockopt", x.name, err)
		case x.o == RecvBuf || x.o == SendBuf:
			// A system may round a small buffer up, which -v shows.
			if got < x.value {
				err := fmt.Errorf("asked for %d bytes, got %d", x.value, got)
				return r.optionFault(x.name+" not set", "setsockopt", x.name, err)
			}
		case got != x.value:
			err := fmt.Errorf("asked for %d, got %d", x.value, got)
			return r.optionFault(x.name+" not set", "setsockopt", x.name, err)
		}
	}
	return nil
}

func (r *run) optionFault(text, call, name string, err error) error {
	f := r.fail(text, call, err, nil).(*fault)
	f.Name = name
	return f
}

// prepare makes a socket with all that has to be set before it opens. peer is
// where a client will connect to: the end of a source route.
func (r *run) prepare(local netip.AddrPort, bind bool, peer netip.Addr) (Socket, error) {
	s, err := r.Socket(r.family(), r.transport())
	if err != nil {
		return nil, r.fail("socket() error", "socket", err, nil)
	}
	if err := r.bindAndSet(s, local, bind, peer); err != nil {
		s.Close()
		return nil, err
	}
	return s, nil
}

func (r *run) bindAndSet(s Socket, local netip.AddrPort, bind bool, peer netip.Addr) error {
	if err := r.set(s, r.beforeBind()); err != nil {
		return err
	}
	if bind {
		if err := s.Bind(local); err != nil {
			f := r.fail("can't bind local address", "bind", err, nil).(*fault)
			f.Local = local
			return f
		}
	}
	if err := r.set(s, r.beforeOpen()); err != nil {
		return err
	}
	if name := r.o.Congestion; name != "" {
		if err := s.SetCongestion(name); err != nil {
			return r.optionFault("TCP_CONGESTION setsockopt error", "setsockopt", "TCP_CONGESTION "+name, err)
		}
	}
	if err := r.join(s, local.Addr()); err != nil {
		return err
	}
	return r.route(s, peer)
}

// join joins the groups of -j, and the group that a server was told to serve.
func (r *run) join(s Socket, local netip.Addr) error {
	groups := r.o.Groups
	if r.o.Server && r.o.UDP && local.IsMulticast() {
		groups = append(groups[:len(groups):len(groups)], local)
	}
	for _, g := range groups {
		if err := s.JoinGroup(g); err != nil {
			return r.optionFault("IP_ADD_MEMBERSHIP error", "setsockopt", "IP_ADD_MEMBERSHIP "+g.String(), err)
		}
	}
	return nil
}

func (r *run) route(s Socket, peer netip.Addr) error {
	if len(r.o.Route) == 0 {
		return nil
	}
	hops := make([]netip.Addr, len(r.o.Route))
	for i, name := range r.o.Route {
		a, err := r.host(name)
		if err != nil {
			return err
		}
		hops[i] = a
	}
	if err := s.SetRoute(hops, peer, r.o.RouteExact); err != nil {
		return r.optionFault("setsockopt error for IP_OPTIONS", "setsockopt", "IP_OPTIONS", err)
	}
	for _, a := range append(hops, peer) {
		r.verbosef("source route to %s", a)
	}
	return nil
}

// report prints, under -v, what the system now holds for each option that was
// asked for: read from the socket, in the order of the book's program.
func (r *run) report(s Socket) {
	if r.o.Verbose == 0 {
		return
	}
	for _, x := range append(r.beforeOpen(), r.afterOpen()...) {
		if x.o == MaxSeg {
			continue // printed for every connection, below
		}
		v, err := s.Get(x.o)
		if err != nil {
			continue
		}
		switch x.o {
		case RecvBuf, SendBuf:
			r.printf("%s = %d", x.name, v)
		case TOS, TTL, MulticastTTL:
			r.printf("%s set to %d", x.name, v)
		case Linger:
			r.printf("linger on, time = %d", v)
		case RecvTimeout, SendTimeout:
			r.printf("%s: %d.%06d", x.name, v/1e6, v%1e6)
		default:
			r.printf("%s set", x.name)
		}
	}
	for range r.o.Groups {
		r.printf("IP_ADD_MEMBERSHIP set")
	}
	if r.o.Congestion != "" {
		if name, err := s.Congestion(); err == nil {
			r.printf("TCP_CONGESTION = %s", name)
		}
	}
	if !r.o.UDP {
		if v, err := s.Get(MaxSeg); err == nil {
			r.printf("TCP_MAXSEG = %d", v)
		}
	}
}
