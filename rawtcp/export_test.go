package rawtcp

import "encoding/binary"

// Multiply adds n copies of the connection that is done first of those in
// TIME_WAIT. Their peers have the IPv4 addresses from 1 to n, as numbers.
func (s *Stack) Multiply(n int) {
	w := s.waits.first()
	for i := range n {
		c := *w
		binary.BigEndian.PutUint32(c.pair.remote[12:], uint32(i+1))
		s.held[c.pair.lport]++
		s.waits.add(&c)
	}
}

// Plateau is plateau.
func Plateau(n int) int { return plateau(n) }
