package sim

import (
	"strconv"

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

// Set wraps setsockopt(2).
func (s *stream) Set(o modes.Option, v int) error {
	if err := s.call(); err != nil {
		return err
	}
	if name, ok := option(o); ok {
		return errnoOf(s.k.Set(s.now(), name, v))
	}
	switch o {
	case modes.OnesBroadcast, modes.MulticastTTL:
		return eNOPROTOOPT
	case modes.DontFragment:
		s.k.Configure(s.now(), func(c *tcb.Config) { c.PathMTU = v != 0 })
	}
	s.values[o] = v
	return nil
}

// Get wraps getsockopt(2).
func (s *stream) Get(o modes.Option) (int, error) {
	if err := s.call(); err != nil {
		return 0, err
	}
	if name, ok := option(o); ok {
		v, err := s.k.Get(name)
		return v, errnoOf(err)
	}
	return s.values[o], nil
}

// SetCongestion wraps TCP_CONGESTION.
func (s *stream) SetCongestion(name string) error {
	if err := s.call(); err != nil {
		return err
	}
	for i, known := range congestions() {
		if name == known {
			s.k.Configure(s.now(), func(c *tcb.Config) { c.Congestion = tcb.Congestion(i) })
			s.values[congestion] = i
			return nil
		}
	}
	return eNOENT
}

// Congestion reads it back.
func (s *stream) Congestion() (string, error) {
	i, ok := s.values[congestion]
	if !ok {
		i = int(s.p.h.profile.TCP.Congestion)
	}
	return congestions()[i], nil
}

// congestion is where values has what SetCongestion has set.
const congestion modes.Option = -1

// congestions are the names of tcb.Congestion.
func congestions() []string { return []string{"none", "tahoe", "reno", "newreno", "cubic"} }

// Info is TCP_INFO: the figures that Linux has, by their names there, but for
// windows and thresholds in bytes.
func (s *stream) Info() (modes.Info, error) {
	if err := s.call(); err != nil {
		return nil, err
	}
	in := s.k.Info()
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
	names := ""
	add := func(on bool, name string) {
		switch {
		case !on:
		case names == "":
			names = name
		default:
			names += " " + name
		}
	}
	add(in.Timestamps, "ts")
	add(in.SACK, "sack")
	add(in.Scaling, "wscale:"+strconv.Itoa(int(in.SndShift))+","+strconv.Itoa(int(in.RcvShift)))
	if names == "" {
		return "none"
	}
	return names
}
