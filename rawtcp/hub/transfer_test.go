package hub

import (
	"fmt"
	"io"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"sock/rawtcp/link"
	"sock/rawtcp/trace"
)

// What two hosts say to each other arrives, whatever the wire does to packets.
func TestTwo(t *testing.T) {
	for name, c := range map[string]link.Conditions{
		"perfect": {},
		"faults":  {Loss: 0.005, Duplication: 0.005, Reordering: 0.005, Corruption: 0.002, ReorderBy: 1e6},
	} {
		for _, place := range []string{"unix", "udp"} {
			t.Run(name+" "+place, func(t *testing.T) {
				h, at := newHub(t, Options{Conditions: c, Seed: 1})
				if place == "udp" {
					at = overUDP(t, h)
				}
				size := 2 << 20
				if c.Loss > 0 && place == "unix" {
					size = 10 << 20
				}
				a, b := dialHost(t, at, "10.0.0.1"), dialHost(t, at, "10.0.0.2")
				b.echo(t)
				must(t, a.ask(t.Context(), b, noise(size, 1)))
				h.lock()
				s := h.cable.pipe.Stats()
				h.unlock()
				if c.Loss > 0 && (s.Dropped == 0 || s.Duplicated == 0 || s.Corrupted == 0) {
					t.Errorf("nothing was done to packets: %+v", s)
				}
			})
		}
	}
}

// Ten hosts, five of them over UDP, each talk to the next one.
func TestTen(t *testing.T) {
	h, unix := newHub(t, Options{Conditions: link.Conditions{Loss: 0.002}, Seed: 1})
	udp := overUDP(t, h)
	var hosts []*host
	for i := range 10 {
		place := unix
		if i%2 == 1 {
			place = udp
		}
		hosts = append(hosts, dialHost(t, place, fmt.Sprintf("10.0.0.%d", i+1)))
		hosts[i].echo(t)
	}
	var all sync.WaitGroup
	for i, from := range hosts {
		all.Go(func() {
			if err := from.ask(t.Context(), hosts[(i+1)%10], noise(1<<20, uint64(i))); err != nil {
				t.Errorf("host %d: %v", i, err)
			}
		})
	}
	all.Wait()
}

// A connection outlives a cable that is cut for a while.
func TestCutAndMend(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		lost := make(chan struct{}, 1)
		h, _ := newQuiet(t, Options{Sink: trace.Func(func(e trace.Event) {
			if e.Kind == trace.Dropped && e.Reason == link.Cut {
				select {
				case lost <- struct{}{}:
				default:
				}
			}
		})})
		a, b := newHost(t, pipePlug(t, h, "10.0.0.1")), newHost(t, pipePlug(t, h, "10.0.0.2"))
		n := b.echo(t)
		done := start(func() error { return a.ask(t.Context(), b, noise(20<<20, 1)) })
		for _, cable := range []string{"", " 10.0.0.1", " 10.0.0.2"} {
			_, err := h.Command("cut" + cable)
			must(t, err)
			<-lost
			pass(10 * time.Second)
			_, err = h.Command("mend" + cable)
			must(t, err)
			select {
			case <-lost: // of the same cut
			default:
			}
		}
		must(t, <-done)
		must(t, n.Close())
		must(t, a.Close())
		must(t, b.Close())
		must(t, h.Close())
	})
}

// Once there are buffers enough, none is allocated for a packet: neither by the
// plugs nor by the hub.
func TestNoAllocation(t *testing.T) {
	h, unix := newHub(t, Options{})
	for name, place := range map[string]string{"unix": unix, "udp": overUDP(t, h)} {
		t.Run(name, func(t *testing.T) {
			c, s := connect(t, place)
			b := make([]byte, 30_000) // 21 packets, and some ACKs
			got := make([]byte, len(b))
			once := func() {
				if _, err := c.Write(b); err != nil {
					t.Fatal(err)
				}
				if _, err := io.ReadFull(s, got); err != nil {
					t.Fatal(err)
				}
			}
			for range 200 {
				once()
			}
			// A little is for what the runtime does meanwhile.
			if n := testing.AllocsPerRun(100, once); n > 2 {
				t.Errorf("%v allocations for 21 packets", n)
			}
		})
	}
}
