package tcb

import (
	"encoding/binary"
	"math/bits"
	"time"

	"sock/rawtcp/seq"
)

// ISNRule says how a system chooses its initial sequence numbers.
type ISNRule struct {
	Boot          uint32 // the number at boot
	PerTick       uint32 // added at every tick of the clock
	PerConnection uint32 // added after every connection
	Keyed         bool   // a hash of the sockets and a secret is added too
	Clock         Clock
}

// ISNSource is the generator of initial sequence numbers of one host, from one
// boot to the next.
type ISNSource struct {
	rule ISNRule
	boot time.Duration
	key  [2]uint64

	// Used is how many connections have got a number. A host whose memory is
	// brought back goes on counting from there.
	Used uint32
}

// NewISNSource returns the generator of a host that boots now. key is its
// secret; a rule without a hash has no use for it.
func NewISNSource(rule ISNRule, boot time.Duration, key [16]byte) *ISNSource {
	return &ISNSource{
		rule: rule,
		boot: boot,
		key:  [2]uint64{binary.LittleEndian.Uint64(key[:8]), binary.LittleEndian.Uint64(key[8:])},
	}
}

// Next returns the number for a connection that is opened now between sockets,
// which is any encoding of both addresses and both ports.
//
// "ISN = M + F(localip, localport, remoteip, remoteport, secretkey) where M is
// the 4 microsecond timer, and F() is a pseudorandom function (PRF) of the
// connection's identifying parameters" (RFC 6528, section 3). For the Berkeley
// systems F is nothing, and M counts connections too.
func (s *ISNSource) Next(now time.Duration, sockets []byte) seq.Value {
	n := s.rule.Boot + s.rule.PerTick*uint32(s.rule.Clock.Ticks(s.boot, now)) +
		s.rule.PerConnection*s.Used
	s.Used++
	if s.rule.Keyed {
		n += uint32(sipHash(s.key, sockets))
	}
	return seq.Value(n)
}

// Hash returns a hash of p by the secret of the host, for other numbers that
// nobody shall guess. p must not be as long as what Next is given.
func (s *ISNSource) Hash(p []byte) uint64 { return sipHash(s.key, p) }

// sipHash is SipHash-2-4 of Aumasson and Bernstein, made for short inputs that
// an attacker may choose.
func sipHash(key [2]uint64, p []byte) uint64 {
	v := [4]uint64{
		key[0] ^ 0x736f6d6570736575,
		key[1] ^ 0x646f72616e646f6d,
		key[0] ^ 0x6c7967656e657261,
		key[1] ^ 0x7465646279746573,
	}
	last := uint64(len(p)) << 56
	for ; len(p) >= 8; p = p[8:] {
		m := binary.LittleEndian.Uint64(p)
		v[3] ^= m
		sipRounds(&v, 2)
		v[0] ^= m
	}
	for i, b := range p {
		last |= uint64(b) << (8 * i)
	}
	v[3] ^= last
	sipRounds(&v, 2)
	v[0] ^= last
	v[2] ^= 0xff
	sipRounds(&v, 4)
	return v[0] ^ v[1] ^ v[2] ^ v[3]
}

func sipRounds(v *[4]uint64, n int) {
	for range n {
		v[0] += v[1]
		v[1] = bits.RotateLeft64(v[1], 13) ^ v[0]
		v[0] = bits.RotateLeft64(v[0], 32)
		v[2] += v[3]
		v[3] = bits.RotateLeft64(v[3], 16) ^ v[2]
		v[0] += v[3]
		v[3] = bits.RotateLeft64(v[3], 21) ^ v[0]
		v[2] += v[1]
		v[1] = bits.RotateLeft64(v[1], 17) ^ v[2]
		v[2] = bits.RotateLeft64(v[2], 32)
	}
}
