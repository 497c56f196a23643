package rawtcp

import (
	"encoding/binary"
	"errors"
	"math"
	"net/netip"
	"time"

	"sock/rawtcp/profile"
	"sock/rawtcp/seq"
	"sock/rawtcp/tcb"
)

// An Estate in bytes: a version, the values of the host, and then the
// connections one after the other, all numbers with the high byte first and
// times in nanoseconds.

// MaxEstate is the most bytes that an Estate has after Fit: about 1500
// connections over IPv4, or 900 over IPv6.
const MaxEstate = 60_000

const (
	estateVersion = 1
	// estateHead is how long the values of the host are, the version included.
	estateHead = 1 + 16 + 8 + 4 + 2 + 3*8 + 4
)

// Flags of the host.
const (
	flagChallenge = 1 << iota
	flagIgnoreRST
	hostFlags = 1<<iota - 1
)

// Flags of a connection.
const (
	flagIPv6 = 1 << iota
	flagTimestamps
	flagReuseAddr
	flagReusePort
	waitFlags = 1<<iota - 1
)

// size returns how long a connection is in bytes.
func (t *TimeWait) size() int {
	n := 1 + 1 + 8 + 2*(4+2) + 4 + 4 + 4
	if t.Local.Addr().Is6() {
		n += 2 * 12
	}
	if t.Timestamps {
		n += 8
	}
	return n
}

// Fit forgets connections until there is room for the others in MaxEstate
// bytes: those first that are over first.
func (e *Estate) Fit() {
	room := MaxEstate - estateHead
	for i := len(e.Waits); i > 0; i-- {
		if room -= e.Waits[i-1].size(); room < 0 {
			e.Waits = e.Waits[i:]
			return
		}
	}
}

// AppendTo appends the encoding of e.
func (e *Estate) AppendTo(b []byte) []byte {
	be := binary.BigEndian
	cfg := &e.Profile.TCP
	b = append(b, estateVersion)
	b = append(b, e.Secret[:]...)
	b = appendTime(b, e.Age)
	b = be.AppendUint32(b, e.Opened)
	b = be.AppendUint16(b, e.Port)
	b = appendTime(b, cfg.MSL)
	b = appendTime(b, cfg.Slow.Tick)
	b = appendTime(b, cfg.TSClock)
	b = append(b, flags(cfg.Challenge, flagChallenge)|flags(cfg.IgnoreTimeWaitRST, flagIgnoreRST),
		byte(cfg.Reuse), e.Profile.TTL, e.Profile.TOS)
	for i := range e.Waits {
		b = e.Waits[i].appendTo(b)
	}
	return b
}

func (t *TimeWait) appendTo(b []byte) []byte {
	be := binary.BigEndian
	b = append(b, flags(t.Local.Addr().Is6(), flagIPv6)|flags(t.Timestamps, flagTimestamps)|
		flags(t.ReuseAddr, flagReuseAddr)|flags(t.ReusePort, flagReusePort), t.RcvShift)
	b = appendTime(b, t.Left)
	for _, a := range []netip.AddrPort{t.Local, t.Remote} {
		b = be.AppendUint16(append(b, a.Addr().AsSlice()...), a.Port())
	}
	b = be.AppendUint32(b, uint32(t.SndNxt))
	b = be.AppendUint32(b, uint32(t.RcvNxt))
	b = be.AppendUint32(b, t.RcvWnd)
	if t.Timestamps {
		b = be.AppendUint32(be.AppendUint32(b, t.TSRecent), t.TSVal)
	}
	return b
}

// maxTime is the maxTime time in an encoding, 73 years: the sum of any two makes
// sense.
const maxTime = math.MaxInt64 / 4

func appendTime(b []byte, d time.Duration) []byte {
	return binary.BigEndian.AppendUint64(b, uint64(min(max(d, 0), maxTime)))
}

func flags(on bool, flag byte) byte {
	if on {
		return flag
	}
	return 0
}

// ErrEstate is what DecodeEstate says of bytes that are no Estate.
var ErrEstate = errors.New("this is not what a host has left")

// DecodeEstate reads what AppendTo has written. The error is ErrEstate.
func DecodeEstate(b []byte) (*Estate, error) {
	d := decoder{b: b}
	if d.byte() != estateVersion {
		return nil, ErrEstate
	}
	e := &Estate{}
	copy(e.Secret[:], d.take(len(e.Secret)))
	e.Age, e.Opened, e.Port = d.time(), d.uint32(), d.uint16()
	e.Profile, _ = profile.Get("")
	cfg := &e.Profile.TCP
	cfg.MSL, cfg.Slow.Tick, cfg.TSClock = d.time(), d.time(), d.time()
	f, reuse := d.byte(), d.byte()
	cfg.Challenge, cfg.IgnoreTimeWaitRST, cfg.Reuse = f&flagChallenge != 0, f&flagIgnoreRST != 0, tcb.ReuseRule(reuse)
	e.Profile.TTL, e.Profile.TOS = d.byte(), d.byte()
	if f > hostFlags || cfg.Reuse > tcb.ReuseTimestamps || cfg.TSClock == 0 {
		return nil, ErrEstate
	}
	for !d.bad && len(d.b) > 0 {
		e.Waits = append(e.Waits, d.wait())
	}
	if d.bad {
		return nil, ErrEstate
	}
	return e, nil
}

// decoder takes values from the front of b.
type decoder struct {
	b   []byte
	bad bool // there was not enough, or what makes no sense
}

func (d *decoder) take(n int) []byte {
	if d.bad || len(d.b) < n {
		d.bad = true
		return make([]byte, n)
	}
	v := d.b[:n]
	d.b = d.b[n:]
	return v
}

func (d *decoder) byte() byte     { return d.take(1)[0] }
func (d *decoder) uint16() uint16 { return binary.BigEndian.Uint16(d.take(2)) }
func (d *decoder) uint32() uint32 { return binary.BigEndian.Uint32(d.take(4)) }

func (d *decoder) time() time.Duration {
	v := binary.BigEndian.Uint64(d.take(8))
	if v > maxTime {
		d.bad = true
		return 0
	}
	return time.Duration(v)
}

func (d *decoder) addrPort(size int) netip.AddrPort {
	a, _ := netip.AddrFromSlice(d.take(size))
	d.bad = d.bad || a.Is4In6() || a.IsUnspecified() || a.IsMulticast()
	return netip.AddrPortFrom(a, d.uint16())
}

func (d *decoder) wait() (t TimeWait) {
	f := d.byte()
	t.ReuseAddr, t.ReusePort = f&flagReuseAddr != 0, f&flagReusePort != 0
	t.RcvShift, t.Left = d.byte(), d.time()
	size := 4
	if f&flagIPv6 != 0 {
		size = 16
	}
	t.Local, t.Remote = d.addrPort(size), d.addrPort(size)
	t.SndNxt, t.RcvNxt, t.RcvWnd = seq.Value(d.uint32()), seq.Value(d.uint32()), d.uint32()
	if t.Timestamps = f&flagTimestamps != 0; t.Timestamps {
		t.TSRecent, t.TSVal = d.uint32(), d.uint32()
	}
	d.bad = d.bad || f > waitFlags || t.RcvShift > 14 || t.RcvWnd > math.MaxUint16<<14
	return t
}
