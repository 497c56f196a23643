package sim

import (
	"sock/modes"
	"sock/modes/sockopt"
	"sock/rawtcp/tcb"
)

// Set wraps setsockopt(2).
func (s *stream) Set(o modes.Option, v int) error {
	if err := s.call(); err != nil {
		return err
	}
	if name, ok := sockopt.TCP(o); ok {
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
	if name, ok := sockopt.TCP(o); ok {
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
	for i, known := range sockopt.Congestions() {
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
	return sockopt.Congestions()[i], nil
}

// congestion is where values has what SetCongestion has set.
const congestion modes.Option = -1

// Info is TCP_INFO.
func (s *stream) Info() (modes.Info, error) {
	if err := s.call(); err != nil {
		return nil, err
	}
	in := s.k.Info()
	return sockopt.Info(&in), nil
}
