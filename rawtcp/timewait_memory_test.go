package rawtcp_test

import (
	"encoding/binary"
	"net/netip"
	"runtime"
	"testing"

	"sock/rawtcp/wire"
)

// A million connections in TIME_WAIT take less than 200 bytes each, segments
// find theirs, and when their time is over nothing is left. With that many the
// map is almost as empty as it ever gets, since it has just grown.
func TestTimeWaitMemory(t *testing.T) {
	n := 1_000_000
	if testing.Short() {
		n = 10_000
	}
	l, _, p := inTimeWait(t, false, "bsd")
	l.silent, l.log = true, nil
	before := heap()
	l.Multiply(n)
	each := (heap() - before) / n
	t.Logf("%d bytes each", each)
	if each >= 200 {
		t.Errorf("%d bytes each", each)
	}
	l.silent = false
	for i := uint32(1); i <= uint32(n); i += 97 {
		p.me = at(netip.AddrFrom4([4]byte(binary.BigEndian.AppendUint32(nil, i))), p.me.Port())
		p.seq--
		p.send(wire.FIN|wire.ACK, "")
		p.take(wire.ACK)
	}
	l.silent = true
	l.pass(l.prof.TCP.MSL * 2)
	if rows := l.Netstat(l.now); len(rows) != 1 {
		t.Errorf("%d rows after 2MSL", len(rows))
	}
	runtime.KeepAlive(l)
}
