package hub

import (
	"context"
	"errors"
	"math/rand/v2"
	"net/netip"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"sock/rawtcp/link"
	"sock/rawtcp/loop"
	"sock/rawtcp/trace"
	"sock/rawtcp/wire"
)

// pass lets time pass in a bubble.
func pass(d time.Duration) { <-time.After(d) }

// deaf receives for nobody.
func deaf([][]byte) {}

// A plug over UDP joins though datagrams are lost, and stays as long as it is
// there, even if nobody has anything to say.
func TestUDPStays(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var n internet
		chance := rand.New(rand.NewPCG(1, 0))
		n.lose(func() bool { return chance.IntN(3) > 0 })
		h, log := overInternet(t, &n, Options{})
		defer h.Close()
		p, err := n.plug(t, "192.0.2.2:1", "auto")
		must(t, err)
		n.lose(nil)
		p.Start(deaf)
		pass(time.Hour)
		if err := p.Err(); err != nil {
			t.Error(err)
		}
		must(t, p.Close())
		synctest.Wait()
		log.only(t, "10.0.0.1 has joined: udp:192.0.2.2:1\n10.0.0.1 has left\n")
	})
}

// Who is silent for long is unplugged, and his address is free again.
func TestUDPDies(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var n internet
		h, log := overInternet(t, &n, Options{})
		defer h.Close()
		p, err := n.plug(t, "192.0.2.2:1", "10.0.0.1")
		must(t, err)
		defer p.Close()
		n.lose(always) // a cable somewhere
		pass(silence - aliveTime - 1)
		if answer, err := h.Command("list"); err != nil || !strings.Contains(answer, "10.0.0.1") {
			t.Errorf("it is gone already: %s: %v", answer, err)
		}
		pass(aliveTime + 1)
		synctest.Wait()
		log.only(t, "10.0.0.1 has joined: udp:192.0.2.2:1\n10.0.0.1 has left: nothing was heard from it for 10s\n")
		n.lose(nil)
		q, err := n.plug(t, "192.0.2.3:1", "10.0.0.1")
		must(t, err)
		must(t, q.Close())
	})
}

// A plug whose hub dies says so, once.
func TestUDPHubDies(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var n internet
		h, _ := overInternet(t, &n, Options{})
		p, err := n.plug(t, "192.0.2.2:1", "10.0.0.1")
		must(t, err)
		q, err := n.plug(t, "192.0.2.2:2", "10.0.0.2")
		must(t, err)
		p.Start(deaf)
		q.Start(deaf)
		pass(time.Minute)
		must(t, h.Close()) // which says goodbye
		<-p.Done()
		if err := p.Err(); !errors.Is(err, ErrHubGone) {
			t.Error(err)
		}
		must(t, p.Close())
		must(t, q.Close())

		h, _ = overInternet(t, &n, Options{})
		p, err = n.plug(t, "192.0.2.2:1", "10.0.0.1")
		must(t, err)
		p.Start(deaf)
		n.lose(always)
		at := time.Now()
		<-p.Done()
		if d := time.Since(at); d < silence-aliveTime || d > silence+2*aliveTime {
			t.Errorf("it was missed after %v", d)
		}
		if err := p.Err(); !errors.Is(err, ErrHubGone) || !strings.Contains(err.Error(), "nothing was heard") {
			t.Error(err)
		}
		// What is sent is lost, and the way out is not blocked.
		for range 3 * waiting / 1000 {
			must(t, p.Send(0, make([]byte, 1000), trace.Rule{}))
		}
		p.Flush()
		if p.Lost() == 0 {
			t.Error("nothing was lost")
		}
		must(t, p.Close())
		if err := p.Err(); !errors.Is(err, ErrHubGone) {
			t.Errorf("Err has changed to %v", err)
		}
		must(t, h.Close())
	})
}

// A hub that comes back does not know the plugs of the one before, and says so.
func TestUDPHubComesBack(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var n internet
		h, _ := overInternet(t, &n, Options{})
		p, err := n.plug(t, "192.0.2.2:1", "10.0.0.1")
		must(t, err)
		p.Start(deaf)
		n.lose(always) // it dies without a word
		must(t, h.Close())
		n.lose(nil)
		h, _ = overInternet(t, &n, Options{})
		at := time.Now()
		<-p.Done()
		if d := time.Since(at); d > aliveTime {
			t.Errorf("it was missed after %v", d)
		}
		must(t, p.Close())
		must(t, h.Close())
	})
}

// Nobody hears why if nobody answers; and who is refused hears why.
func TestUDPRefused(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var n internet
		if _, err := n.plug(t, "192.0.2.2:1", "auto"); !errors.Is(err, context.DeadlineExceeded) {
			t.Error(err)
		}
		h, _ := overInternet(t, &n, Options{})
		defer h.Close()
		p, err := n.plug(t, "192.0.2.2:1", "10.0.0.1")
		must(t, err)
		defer p.Close()
		_, err = n.plug(t, "192.0.2.3:1", "10.0.0.1")
		if err == nil || err.Error() != "10.0.0.1 is taken by udp:192.0.2.2:1" {
			t.Error(err)
		}
	})
}

// Who has not shown that he is where he says is neither plugged in nor sent more
// than he has sent; and nobody can speak for another.
func TestUDPForged(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var n internet
		h, log := overInternet(t, &n, Options{})
		defer h.Close()
		p, err := n.plug(t, "192.0.2.2:1", "10.0.0.1")
		must(t, err)
		defer p.Close()
		p.Start(deaf)
		evil := n.socket("192.0.2.66:1", hubPlace)
		defer evil.Close()
		victim := n.socket("192.0.2.7:1", "")
		defer victim.Close()
		log.only(t, "10.0.0.1 has joined: udp:192.0.2.2:1\n")

		packet := ip(netip.MustParseAddr("10.0.0.66"), netip.MustParseAddr("10.0.0.1"), 200, []byte("forged"))
		var none [tokenLen]byte
		bodies := [][]byte{
			appendMessage(none[:], kindJoin, "1 10.0.0.66"),
			append(appendHeader(none[:tokenLen:tokenLen], kindPacket, len(packet)), packet...),
			appendMessage(none[:tokenLen:tokenLen], kindAlive, ""),
			appendMessage(none[:tokenLen:tokenLen], kindLeave, ""),
			appendMessage(none[:tokenLen:tokenLen], 99, ""),
			appendMessage(none[:tokenLen:tokenLen], kindWelcome, "1500 10.0.0.1/24"),
			none[:], none[:3], nil,
		}
		for _, as := range []*mailbox{evil, {net: &n, own: p.conn.(*datagramConn).Conn.(*mailbox).own}, {net: &n, own: victim.own}} {
			for _, b := range bodies {
				_, _ = as.WriteToUDPAddrPort(b, netip.MustParseAddrPort(hubPlace))
				synctest.Wait()
				select {
				case l := <-victim.mail:
					if len(l.b) > len(b) {
						t.Errorf("%d bytes are answered with %d", len(b), len(l.b))
					}
				default:
				}
			}
		}
		pass(time.Minute)
		log.only(t, "10.0.0.1 has joined: udp:192.0.2.2:1\n")
		if answer, err := h.Command("list"); err != nil || !strings.Contains(answer, "packets: 0 in") {
			t.Errorf("%s: %v", answer, err)
		}
	})
}

// A port that another plug has got is not the one who had it before.
func TestUDPSamePort(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var n internet
		h, log := overInternet(t, &n, Options{})
		defer h.Close()
		p, err := n.plug(t, "192.0.2.2:1", "10.0.0.1")
		must(t, err)
		n.lose(always) // killed
		must(t, p.Close())
		n.lose(nil)
		q, err := n.plug(t, "192.0.2.2:1", "10.0.0.2")
		must(t, err)
		defer q.Close()
		log.only(t, "10.0.0.1 has joined: udp:192.0.2.2:1\n10.0.0.1 has left\n10.0.0.2 has joined: udp:192.0.2.2:1\n")
	})
}

// A place where no hub can be is refused in a sentence.
func TestUDPNoPlace(t *testing.T) {
	h, _ := newHub(t, Options{})
	taken := overUDP(t, h)
	for place, want := range map[string]string{
		taken:                taken + ": another process has that port of UDP, perhaps a hub: plug into that without --hub, or take another port",
		"udp:192.0.2.1:7000": "udp:192.0.2.1:7000: no interface of this machine has that address: take one that it has, or 0.0.0.0 for all of IPv4",
		"udp:nonsense":       "udp:nonsense: address nonsense: missing port in address; a place is udp:ADDRESS:PORT, as udp:0.0.0.0:7000",
	} {
		if err := h.Listen(place); err == nil || err.Error() != want {
			t.Errorf("%v, not %s", err, want)
		}
	}
}

// All of it in virtual time: a connection over a wire with a delay of an hour.
func TestVirtualHour(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var n internet
		h, _ := overInternet(t, &n, Options{Conditions: link.Conditions{Delay: time.Minute}})
		defer h.Close()
		at := time.Now()
		p, err := n.plug(t, "192.0.2.2:1", "10.0.0.1")
		must(t, err)
		q, err := n.plug(t, "192.0.2.3:1", "10.0.0.2")
		must(t, err)
		one, two := loop.New(p, loop.Options{}), loop.New(q, loop.Options{})
		defer one.Close()
		defer two.Close()
		l, err := two.Listen(netip.AddrPortFrom(netip.MustParseAddr("10.0.0.2"), 7), 5)
		must(t, err)
		c, err := one.Dial(t.Context(), netip.AddrPortFrom(netip.MustParseAddr("10.0.0.2"), 7))
		must(t, err)
		if d := time.Since(at); d != 2*time.Minute {
			t.Errorf("it has taken %v to connect", d)
		}
		must(t, c.SetLinger(0))
		must(t, c.Close())
		must(t, l.Close())
	})
}

// Packets over UDP have the length that there is room for.
func TestUDPMTU(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		for asked, want := range map[int]int{0: udpMTU, 576: 576, maxMTU: maxMTU} {
			var n internet
			h, _ := overInternet(t, &n, Options{MTU: asked})
			p, err := n.plug(t, "192.0.2.2:1", "auto")
			must(t, err)
			q, err := n.plug(t, "192.0.2.3:1", "auto")
			must(t, err)
			if p.MTU() != want {
				t.Errorf("asked for %d: %d", asked, p.MTU())
			}
			got := make(chan int, 1)
			q.Start(func(packets [][]byte) { got <- len(packets[0]) })
			if err := p.Send(0, make([]byte, want+1), trace.Rule{}); !errors.Is(err, link.ErrTooBig) {
				t.Error(err)
			}
			must(t, p.Send(0, ip(p.Addresses[0].Addr(), q.Addresses[0].Addr(), wire.ProtoUDP, make([]byte, want-20)), trace.Rule{}))
			p.Flush()
			if n := <-got; n != want {
				t.Errorf("%d bytes have come, not %d", n, want)
			}
			must(t, p.Close())
			must(t, q.Close())
			must(t, h.Close())
		}
	})
}
