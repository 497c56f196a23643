package rawtcp_test

import (
	"math/rand/v2"
	"testing"
	"time"

	"sock/rawtcp"
	"sock/rawtcp/link"
	"sock/rawtcp/tcb"
	"sock/rawtcp/wire"
)

// Whatever connections come, go, and put off what they have to do, the next
// deadline is the least, and nothing is done late.
func TestDeadlines(t *testing.T) {
	l := newLone(t, "linux", "port-random=no")
	listener := l.listen(at(here, 80), 4000)
	chance := rand.New(rand.NewPCG(1, 1))
	type end struct {
		k *rawtcp.Socket
		p *peer
	}
	var ends []end
	for i := range 3000 {
		switch n := chance.IntN(8); {
		case n < 3 || len(ends) == 0:
			k, p := l.accepts(listener, uint16(2000+i))
			k.Configure(l.now, func(c *tcb.Config) { c.InitialRTO = time.Duration(1+chance.IntN(1000)) * time.Millisecond })
			ends = append(ends, end{k, p})
		case n < 5:
			e := ends[chance.IntN(len(ends))]
			_, err := e.k.Write(l.now, []byte("text"))
			l.ok(err)
		case n < 6:
			e := ends[chance.IntN(len(ends))]
			e.p.ack = e.k.Info().SndNxt
			e.p.send(wire.ACK, "")
		case n < 7:
			j := chance.IntN(len(ends))
			l.ok(ends[j].k.Abort(l.now))
			ends = append(ends[:j], ends[j+1:]...)
		default:
			l.pass(time.Duration(chance.IntN(300)) * time.Millisecond)
		}
		l.out, l.log = nil, nil
		least := time.Duration(-1)
		for _, e := range ends {
			for _, d := range e.k.Info().Timers {
				if d >= 0 && (least < 0 || d < least) {
					least = d
				}
			}
		}
		if d, ok := l.NextDeadline(); ok != (least >= 0) || ok && d != least {
			t.Fatalf("step %d: the next deadline is %v, and a timer runs out at %v", i, d, least)
		}
		if err := l.Check(l.now); err != nil {
			t.Fatalf("step %d: %v", i, err)
		}
	}
}

// What is due at the same time is done in the order of age.
func TestDeadlinesOfOneTime(t *testing.T) {
	l := newLone(t, "bsd")
	var ports []uint16
	for range 20 {
		ports = append(ports, l.dial(7).Local().Port())
	}
	l.take()
	l.pass(10 * time.Second)
	out := l.take()
	if len(out) != len(ports) {
		t.Fatalf("%d SYNs", len(out))
	}
	for i, s := range out {
		if s.src.Port() != ports[i] {
			t.Errorf("%d: from port %d, not %d", i, s.src.Port(), ports[i])
		}
	}
}

// A connection whose user lingers goes on as any other: what is lost is sent
// again, long before the linger time is over.
func TestLingerRetransmits(t *testing.T) {
	w := newWorld(t, link.LinkOptions{Conditions: link.Conditions{Delay: 10 * time.Millisecond}})
	a, b := w.host("a", ""), w.host("b", "")
	c, s := w.pair(a, b)
	if err := w.net.Rule("drop the 1st data from a"); err != nil {
		t.Fatal(err)
	}
	_, err := c.Write(w.now, []byte("lost"))
	w.ok(err)
	w.ok(c.Set(w.now, rawtcp.Linger, 60))
	w.ok(c.Close(w.now))
	start := w.now
	w.until("the data", s.CanRead)
	w.until("the close", func() bool { return c.Close(w.now) == nil })
	if d := w.now - start; d > 3*time.Second {
		t.Errorf("it took %v", d)
	}
}
