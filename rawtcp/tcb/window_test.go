package tcb_test

import (
	"testing"

	"sock/rawtcp/tcb"
)

// Berkeley tells of all the room there is, as soon as it sends an ACK for some
// other reason; the RFC lets a window grow only by enough.
func TestExactWindow(t *testing.T) {
	f := at(t, tcb.Established, set("window=exact", "rcvbuf=4096"))
	f.in("P. 1:14(13) ack 1")
	f.read(13)
	f.advanceToTimer()
	f.want(". 1:1(0) ack 14 win 4096")

	f = at(t, tcb.Established, set("rcvbuf=4096"))
	f.in("P. 1:14(13) ack 1")
	f.read(13)
	f.advanceToTimer()
	f.want(". 1:1(0) ack 14 win 4083")
}

// The RST of an abort tells the window, as the segment before it did.
func TestResetWindow(t *testing.T) {
	f := at(t, tcb.Established, set("window=exact", "rcvbuf=4096"))
	f.ok(f.c.Abort(f.now))
	f.want("R. 1:1(0) ack 1 win 4096")
}

// An urgent byte that nobody fetches does not stand before the end, and is not
// data that a close would lose.
func TestUrgentThenFIN(t *testing.T) {
	f := at(t, tcb.Established, set("close-reset=yes"))
	f.in("PU. 1:2(1) ack 1 urg 1")
	f.in("F. 2:2(0) ack 1")
	f.drain()
	if !f.c.AtEOF() {
		t.Error("the urgent byte hides the end")
	}
	f.ok(f.c.Close(f.now))
	f.want("F. 1:1(0) ack 3")
}

// A window of which more than half is left is not worth a segment: the SYN and
// ACK of a listener tells no more than 65535, and what it could not tell is told
// with the first ACK, which may wait.
func TestWindowUpdateWaits(t *testing.T) {
	f := at(t, tcb.Listen, set("rcvbuf=200000", "wscale=yes"))
	f.in("S 0:0(0) <mss 1000,wscale 0>")
	f.want("S. 0:0(0) ack 1 win 65535")
	f.in(". 1:1(0) ack 1")
	f.in("P. 1:14(13) ack 1")
	f.read(13)
	f.wantNothing()
	f.advanceToTimer()
	f.want(". 1:1(0) ack 14 win 50000")
}
