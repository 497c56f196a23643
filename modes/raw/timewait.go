package raw

import (
	"fmt"
	"net/netip"
	"time"

	"sock/rawtcp"
	"sock/rawtcp/tcb"
)

// keeper is a link whose other end answers for a host whose process has gone.
type keeper interface {
	// Estate returns what the process before has left, or nil.
	Estate() *rawtcp.Estate
	// Bequeath leaves what there is to the keeper, and so ends the link. What
	// it has no room for is no longer in e.
	Bequeath(e *rawtcp.Estate) error
}

// Narrate has f told in a sentence what the host does that nobody has asked for.
func (h *Host) Narrate(f func(text string)) {
	h.loop.Do(func(time.Duration, *rawtcp.Stack) { h.narrate = f })
}

// bequeath leaves to the keeper of the link, if there is one, what the host has to
// remember.
func (h *Host) bequeath() {
	if h.keeper == nil {
		return
	}
	var e *rawtcp.Estate
	tell := func(string) {}
	h.loop.Do(func(now time.Duration, tcp *rawtcp.Stack) {
		e = tcp.Estate(now)
		if h.narrate != nil {
			tell = h.narrate
		}
	})
	all := len(e.Waits)
	err := h.keeper.Bequeath(e)
	switch n := len(e.Waits); {
	case all == 0:
	case err != nil && h.told.Load():
		tell("TIME_WAIT ends with this process") // and why has been said
	case err != nil:
		tell(fmt.Sprintf("TIME_WAIT ends with this process: %v", err))
	case n == 1:
		tell(fmt.Sprintf("1 connection in TIME_WAIT is left with the hub for %s", seconds(e.Waits[0].Left)))
	case n == all:
		tell(fmt.Sprintf("%d connections in TIME_WAIT are left with the hub for %s", n, seconds(e.Waits[n-1].Left)))
	default:
		tell(fmt.Sprintf("%d connections of %d in TIME_WAIT are left with the hub for %s", n, all, seconds(e.Waits[n-1].Left)))
	}
}

// explainTimeWait says which connection in TIME_WAIT keeps a port in use, or "".
func (h *Host) explainTimeWait(port uint16, reuse bool) (text string) {
	h.loop.Do(func(now time.Duration, tcp *rawtcp.Stack) {
		var last rawtcp.Row
		for _, r := range tcp.Netstat(now) {
			if r.State == tcb.TimeWait && r.Local.Port() == port && r.Left > last.Left {
				last = r
			}
		}
		if last.State != tcb.TimeWait {
			return
		}
		text = fmt.Sprintf("port %d is in TIME_WAIT (%s to %s), %s left: wait", port,
			dotted(last.Local), dotted(last.Remote), seconds(last.Left))
		switch {
		case reuse:
			text += ", since the socket before had no -A"
		case tcp.Profile().BindTimeWait:
			text += ", or start it with -A"
		default:
			text += ", or another time start both with -A"
		}
	})
	return text
}

// seconds is a time as it is read: tenths of a second matter in TIME_WAIT.
func seconds(d time.Duration) string { return fmt.Sprintf("%.1f s", d.Seconds()) }

// dotted is a socket as the book writes it.
func dotted(a netip.AddrPort) string { return fmt.Sprintf("%v.%d", a.Addr(), a.Port()) }
