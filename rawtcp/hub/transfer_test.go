package hub

import (
	"fmt"
	"sync"
	"testing"

	"sock/rawtcp/link"
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
				a, b := dialHost(t, at, "10.0.0.1"), dialHost(t, at, "10.0.0.2")
				b.echo(t)
				must(t, a.ask(t.Context(), b, noise(10<<20, 1)))
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
