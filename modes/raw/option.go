package raw

import (
	"fmt"
	"net/netip"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"time"

	"sock/modes"
	"sock/rawtcp"
	"sock/rawtcp/tcb"
)

// option returns what the Stack calls an option.
func option(o modes.Option) (rawtcp.Option, bool) {
	switch o {
	case modes.ReuseAddr:
		return rawtcp.ReuseAddr, true
	case modes.ReusePort:
		return rawtcp.ReusePort, true
	case modes.Debug:
		return rawtcp.Debug, true
	case modes.DontRoute:
		return rawtcp.DontRoute, true
	case modes.TOS:
		return rawtcp.TOS, true
	case modes.TTL:
		return rawtcp.TTL, true
	case modes.MaxSeg:
		return rawtcp.MaxSeg, true
	case modes.KeepAlive:
		return rawtcp.KeepAlive, true
	case modes.NoDelay:
		return rawtcp.NoDelay, true
	case modes.Linger:
		return rawtcp.Linger, true
	case modes.RecvBuf:
		return rawtcp.RecvBuf, true
	case modes.SendBuf:
		return rawtcp.SendBuf, true
	}
	return 0, false
}

// lacks is the error of what our own TCP does not have.
type lacks string

// Error names it.
func (l lacks) Error() string { return "our own TCP has no " + string(l) }

// Set is setsockopt(2).
func (s *stream) Set(o modes.Option, v int) error {
	return s.do(func(now time.Duration) error {
		if name, ok := option(o); ok {
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
		if name, ok := option(o); ok {
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

// congestions are the names of tcb.Congestion.
func congestions() []string { return []string{"none", "tahoe", "reno", "newreno", "cubic"} }

// SetCongestion is TCP_CONGESTION.
func (s *stream) SetCongestion(name string) error {
	i := slices.Index(congestions(), name)
	if i < 0 {
		return fmt.Errorf("our own TCP has %s", strings.Join(congestions(), ", "))
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
		name = congestions()[i]
	})
	return name, nil
}

// Info is TCP_INFO: the figures that Linux has, by their names there, but for
// windows and thresholds in bytes.
func (s *stream) Info() (modes.Info, error) {
	var in tcb.Info
	if err := s.do(func(time.Duration) error {
		in = s.k.Info()
		return nil
	}); err != nil {
		return nil, err
	}
	n := func(i int) int64 { return int64(i) }
	return modes.Info{
		{Name: "state", Value: in.State.String()},
		{Name: "options", Value: optionNames(&in)},
		{Name: "rtt", Value: in.SRTT},
		{Name: "rttvar", Value: in.RTTVar},
		{Name: "rto", Value: in.RTO},
		{Name: "retransmits", Value: n(in.Retransmits)},
		{Name: "probes", Value: n(in.Probes + in.Keeps)},
		{Name: "snd_mss", Value: n(in.SegmentSize)},
		{Name: "advmss", Value: n(in.MSS)},
		{Name: "pmtu", Value: n(in.MTU)},
		{Name: "snd_cwnd", Value: n(in.Cwnd)},
		{Name: "snd_ssthresh", Value: n(in.Ssthresh)},
		{Name: "snd_wnd", Value: n(in.SndWnd)},
		{Name: "rcv_wnd", Value: n(in.RcvWnd)},
		{Name: "unacked", Value: n(in.SendQueued - in.Unsent)},
		{Name: "notsent_bytes", Value: n(in.Unsent)},
	}, nil
}

// optionNames names what the handshake agreed on, as ss(8) does.
func optionNames(in *tcb.Info) string {
	var names []string
	for _, x := range []struct {
		on   bool
		name string
	}{
		{in.Timestamps, "ts"},
		{in.SACK, "sack"},
		{in.Scaling, "wscale:" + strconv.Itoa(int(in.SndShift)) + "," + strconv.Itoa(int(in.RcvShift))},
	} {
		if x.on {
			names = append(names, x.name)
		}
	}
	if names == nil {
		return "none"
	}
	return strings.Join(names, " ")
}
