package rawtcp

import (
	"time"

	"sock/rawtcp/tcb"
)

// Hold keeps back what connections have to send until Release, for a link that is
// busy: what gathers meanwhile goes out in fewer and longer segments, and is
// acknowledged with fewer ACKs. TCB.Output may be called
// late: "it MUST process them all before sending any ACK segments" (RFC 9293,
// section 3.10.7.4).
func (s *Stack) Hold() { s.holding = true }

// Release sends what has been kept back.
func (s *Stack) Release(now time.Duration) {
	s.holding = false
	for i := 0; i < len(s.late); i++ {
		c := s.late[i]
		c.late = false
		s.settle(now, c)
	}
	clear(s.late)
	s.late = s.late[:0]
}

// holds reports whether c has to wait for Release. Only one that sends data does:
// others have a segment to send that changes who they are.
func (s *Stack) holds(c *conn) bool {
	if !s.holding {
		return false
	}
	if state := c.tcb.State(); state != tcb.Established && state != tcb.CloseWait {
		return false
	}
	if !c.late {
		c.late = true
		s.late = append(s.late, c)
	}
	return true
}
