package link

import (
	"time"

	"sock/rawtcp/trace"
	"sock/rawtcp/wire"
)

// Sender is how a protocol sends what may be longer than an MTU: in fragments, if
// it must be. TCP has no use for it.
type Sender struct {
	IP
	// ID is the identification of the last datagram that was sent. "The
	// Identification field [...] must be unique for that source-destination
	// pair and protocol for the time the datagram (or any fragment of it) could
	// be alive in the internet" (RFC 791, section 2.3): each gets the next one.
	ID uint32
}

// SendIPv4 sends ip, of which all is given but the identification, on a way that
// takes packets of mtu bytes. If it must stay whole and is longer, that is
// ErrTooBig. DF is for the routers behind, of the packet and of its fragments.
func (s *Sender) SendIPv4(now time.Duration, ip *wire.IPv4, mtu int, whole bool, why trace.Rule) error {
	s.ID++
	ip.ID = uint16(s.ID)
	if ip.HeaderLen()+len(ip.Payload) <= mtu {
		return s.Send(now, ip.AppendTo(s.Buffer()), why)
	}
	if whole {
		return ErrTooBig
	}
	fragments, reason := ip.Fragments(mtu)
	if reason != wire.OK {
		return ErrTooBig
	}
	for i := range fragments {
		if err := s.Send(now, fragments[i].AppendTo(s.Buffer()), why); err != nil {
			return err
		}
	}
	return nil
}

// SendIPv6 does the same for IPv6, where only the sender may make fragments.
func (s *Sender) SendIPv6(now time.Duration, ip *wire.IPv6, mtu int, whole bool, why trace.Rule) error {
	if ip.HeaderLen()+len(ip.Payload) <= mtu {
		return s.Send(now, ip.AppendTo(s.Buffer()), why)
	}
	if whole {
		return ErrTooBig
	}
	s.ID++
	fragments, reason := ip.Fragments(mtu, s.ID)
	if reason != wire.OK {
		return ErrTooBig
	}
	for i := range fragments {
		if err := s.Send(now, fragments[i].AppendTo(s.Buffer()), why); err != nil {
			return err
		}
	}
	return nil
}
