package hub

import (
	"bytes"
	"fmt"
	"net"
	"net/netip"
	"slices"
	"testing"
	"time"
)

// Runs are all messages of a batch, in their order, and each run is what one call
// can send.
func TestRuns(t *testing.T) {
	prefix := []byte("8 bytes.")
	for name, x := range map[string]struct {
		sizes []int
		want  string // messages x size of each run
	}{
		"nothing":          {nil, "[]"},
		"one":              {[]int{100}, "[1x112]"},
		"empty ones":       {[]int{0, 0, 0}, "[3x12]"},
		"the last is less": {[]int{100, 100, 7, 7}, "[3x112 1x19]"},
		"more":             {[]int{7, 100, 100}, "[1x19 2x112]"},
		"long ones":        {[]int{30_000, 30_000, 30_000}, "[2x30012 1x30012]"},
		"too long":         {[]int{65_000, 65_000}, "[1x65012 1x65012]"},
		"many":             {slices.Repeat([]int{52}, 150), "[64x64 64x64 22x64]"},
	} {
		t.Run(name, func(t *testing.T) {
			q := newQueue(prefix, 1<<20)
			for _, n := range x.sizes {
				q.take(make([]byte, n))
			}
			got := []string{}
			var all []byte
			eachRun(q.pending, func(run []byte, size int) {
				got = append(got, fmt.Sprintf("%dx%d", (len(run)+size-1)/size, size))
				all = append(all, run...)
			})
			if fmt.Sprint(got) != x.want || !bytes.Equal(all, q.pending) {
				t.Errorf("%v, not %s", got, x.want)
			}
		})
	}
}

// What one call sends comes as the same datagrams, whether the device cuts them
// or not.
func TestBulk(t *testing.T) {
	for _, plain := range []bool{false, true} {
		a, err := net.ListenUDP("udp", &net.UDPAddr{IP: net.IPv4(127, 0, 0, 1)})
		must(t, err)
		defer a.Close()
		conn, err := net.Dial("udp", a.LocalAddr().String())
		must(t, err)
		defer conn.Close()
		to, from := newBulk(a), newBulk(toPeer{conn})
		if plain {
			from = oneByOne{toPeer{conn}}
		}
		must(t, a.SetReadDeadline(time.Now().Add(10*time.Second)))
		buf := make([]byte, longestUDP)
		for _, sizes := range [][]int{{1400, 1400, 1400, 1400, 9}, {1}, {64, 64}, {20_000, 20_000, 20_000}} {
			total := 0
			for _, n := range sizes {
				total += n
			}
			sent := noise(total, 1)
			from.send(sent, sizes[0], netip.AddrPort{})
			var got []byte
			var lengths []int
			for len(got) < len(sent) {
				n, size, _, err := to.receive(buf)
				must(t, err)
				for b := range slices.Chunk(buf[:n], size) {
					lengths = append(lengths, len(b))
					got = append(got, b...)
				}
			}
			if !slices.Equal(lengths, sizes) || !bytes.Equal(got, sent) {
				t.Errorf("%v has come of %v", lengths, sizes)
			}
		}
	}
}
