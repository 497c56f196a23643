package raw

import (
	"fmt"
	"net/netip"
	"slices"
	"strings"
	"syscall"
	"time"

	"sock/modes"
	"sock/modes/sockopt"
	"sock/rawtcp"
	"sock/rawtcp/tcb"
)

// lacks is the error of what our own TCP does not have.
type lacks string

// Error names it.
func (l lacks) Error() string { return "our own TCP has no " + string(l) }

// Set is setsockopt(2).
func (s *stream) Set(o modes.Option, v int) error {
	return s.do(func(now time.Duration) error {
		if name, ok := sockopt.TCP(o); ok {
			return s.k.Set(now, name, v)
		}
		if d := s.timeout(o); d != nil {
			*d = time.Duration(v) * time.Microsecond
			return nil
		}
		switch o {
		case modes.DontFragment:
			// DF is what path MTU discovery sets.
			s.dontFragment = v != 0
			s.k.Configure(now, func(c *tcb.Config) { c.PathMTU = v != 0 })
		case modes.AsyncIO:
			return lacks("SIGIO")
		default:
			return syscall.ENOPROTOOPT // it is of UDP
		}
		return nil
	})
}

// Get is getsockopt(2).
func (s *stream) Get(o modes.Option) (v int, err error) {
	err = s.do(func(time.Duration) (err error) {
		if name, ok := sockopt.TCP(o); ok {
			v, err = s.k.Get(name)
			return err
		}
		switch d := s.timeout(o); {
		case d != nil:
			v = int(d.Microseconds())
		case o != modes.DontFragment:
			return syscall.ENOPROTOOPT
		case s.dontFragment:
			v = 1
		}
		return nil
	})
	return v, err
}

// SetRoute says that there are no source routes.
func (s *stream) SetRoute([]netip.Addr, netip.Addr, bool) error { return lacks("source routes") }

// SetCongestion is TCP_CONGESTION.
func (s *stream) SetCongestion(name string) error {
	i := slices.Index(sockopt.Congestions(), name)
	if i < 0 {
		return fmt.Errorf("our own TCP has %s", strings.Join(sockopt.Congestions(), ", "))
	}
	return s.do(func(now time.Duration) error {
		s.congestion = i
		s.k.Configure(now, func(c *tcb.Config) { c.Congestion = tcb.Congestion(i) })
		return nil
	})
}

// Congestion reads it back.
func (s *stream) Congestion() (name string, err error) {
	s.h.do(func(_ time.Duration, tcp *rawtcp.Stack) {
		i := s.congestion
		if i < 0 {
			i = int(tcp.Profile().TCP.Congestion)
		}
		name = sockopt.Congestions()[i]
	})
	return name, nil
}

// Info is TCP_INFO.
func (s *stream) Info() (modes.Info, error) {
	var in tcb.Info
	if err := s.do(func(time.Duration) error {
		in = s.k.Info()
		return nil
	}); err != nil {
		return nil, err
	}
	return sockopt.Info(&in), nil
}
