package loop_test

import (
	"bytes"
	"crypto/sha256"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"sock/rawtcp"
	"sock/rawtcp/link"
	"sock/rawtcp/loop"
	"sock/rawtcp/trace"
)

// noise returns n bytes that depend on seed.
func noise(n int, seed uint64) []byte {
	b := make([]byte, n)
	var key [32]byte
	key[0] = byte(seed)
	_, _ = rand.NewChaCha8(key).Read(b)
	return b
}

// exchange sends a to one end and b to the other, at the same time, and fails
// unless they arrive.
func exchange(t testing.TB, c, s *loop.Conn, a, b []byte) {
	t.Helper()
	var all sync.WaitGroup
	for _, x := range []struct {
		conn      *loop.Conn
		send, get []byte
	}{{c, a, b}, {s, b, a}} {
		all.Go(func() {
			if _, err := x.conn.Write(x.send); err != nil {
				t.Error(err)
			}
			if err := x.conn.CloseWrite(); err != nil {
				t.Error(err)
			}
		})
		all.Go(func() {
			got, err := io.ReadAll(x.conn)
			if err != nil || !bytes.Equal(got, x.get) {
				t.Errorf("%d bytes have come of %d, or other ones: %v", len(got), len(x.get), err)
			}
		})
	}
	all.Wait()
	must(t, c.Close())
	must(t, s.Close())
}

// Whatever the link does to packets, what has been written is what is read.
func TestFaults(t *testing.T) {
	for name, c := range map[string]link.Conditions{
		"delay": {Delay: 50 * time.Millisecond, Jitter: 20 * time.Millisecond},
		"loss":  {Delay: time.Millisecond, Loss: 0.02},
		"disorder": {
			Delay: 5 * time.Millisecond, Reordering: 0.05, Duplication: 0.05, Corruption: 0.02,
			ReorderBy: 3 * time.Millisecond,
		},
		"slow": {Rate: 1_000_000, Queue: 20},
	} {
		t.Run(name, func(t *testing.T) {
			bubble(t, loop.Options{Faults: link.NewPipe(c, 3)}, func(t *testing.T, p *pair) {
				began := time.Now()
				n, m := p.connect(t)
				exchange(t, n, m, noise(300_000, 1), noise(200_000, 2))
				t.Log(time.Since(began))
			})
		})
	}
}

// Many connections at a time, some of them on a bad link, each with its own data.
func TestManyConnections(t *testing.T) {
	for _, o := range []loop.Options{
		{},
		{Faults: link.NewPipe(link.Conditions{Delay: 200 * time.Microsecond, Loss: 0.01}, 1)},
	} {
		bubble(t, o, func(t *testing.T, p *pair) {
			n, err := p.b.Listen(port, 100)
			must(t, err)
			var all sync.WaitGroup
			const conns, size = 100, 50_000
			all.Go(func() {
				for range conns {
					s, err := n.AcceptConn()
					if err != nil {
						t.Error(err)
						return
					}
					all.Go(func() {
						sum := sha256.New()
						if _, err := io.Copy(sum, s); err != nil {
							t.Error(err)
						}
						if _, err := s.Write(sum.Sum(nil)); err != nil {
							t.Error(err)
						}
						if err := s.Close(); err != nil {
							t.Error(err)
						}
					})
				}
			})
			for i := range conns {
				all.Go(func() {
					c, err := p.a.Dial(t.Context(), port)
					if err != nil {
						t.Error(err)
						return
					}
					b := noise(size+i, uint64(i))
					want := sha256.Sum256(b)
					if _, err := c.Write(b); err != nil {
						t.Error(err)
					}
					if err := c.CloseWrite(); err != nil {
						t.Error(err)
					}
					if got, err := io.ReadAll(c); err != nil || !bytes.Equal(got, want[:]) {
						t.Errorf("connection %d: %x, not %x: %v", i, got, want, err)
					}
					if err := c.Close(); err != nil {
						t.Error(err)
					}
				})
			}
			all.Wait()
			must(t, n.Close())
		})
	}
}

// What is made for the TCP of a kernel works on this one.
func TestHTTP(t *testing.T) {
	bubble(t, slow(10*time.Millisecond, 0), func(t *testing.T, p *pair) {
		n := p.listen(t)
		body := noise(1_000_000, 1)
		server := &http.Server{Handler: http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			_, _ = w.Write(body)
		})}
		served := start(func() error { return server.Serve(n) })
		transport := &http.Transport{DialContext: p.a.DialContext}
		client := &http.Client{Transport: transport}
		for range 3 {
			r, err := client.Get(fmt.Sprintf("http://%v/", port))
			must(t, err)
			got, err := io.ReadAll(r.Body)
			must(t, err)
			must(t, r.Body.Close())
			if !bytes.Equal(got, body) {
				t.Errorf("%d bytes have come, or other ones", len(got))
			}
		}
		transport.CloseIdleConnections()
		must(t, server.Shutdown(t.Context()))
		if err := <-served; err != http.ErrServerClosed {
			t.Error(err)
		}
	})
}

// A Sink is told of packets as well as of calls and states, in the order of
// their times.
func TestSink(t *testing.T) {
	kinds := map[trace.Kind]int{}
	var last time.Duration
	o := slow(time.Millisecond, 0)
	o.Sink = trace.Func(func(e trace.Event) {
		if e.At < last {
			t.Errorf("%v after %v", e.At, last)
		}
		last = e.At
		kinds[e.Kind]++
	})
	bubble(t, o, func(t *testing.T, p *pair) {
		c, s := p.connect(t)
		exchange(t, c, s, []byte("question"), []byte("answer"))
	})
	for _, k := range []trace.Kind{trace.Call, trace.State, trace.Sent, trace.Received} {
		if kinds[k] < 3 {
			t.Errorf("%d events of kind %v", kinds[k], k)
		}
	}
}

// What the faults of a host drop has the ID that it was sent with, or if it has not
// been received, one of its own.
func TestSinkOfFaults(t *testing.T) {
	sent, received := map[uint64]bool{}, map[uint64]bool{}
	lostOut, lostIn := map[uint64]bool{}, map[uint64]bool{}
	o := slow(time.Millisecond, 0.2)
	o.Sink = trace.Func(func(e trace.Event) {
		switch {
		case e.Kind == trace.Sent:
			sent[e.ID] = true
		case e.Kind == trace.Received:
			received[e.ID] = true
		case e.Kind == trace.Dropped && e.Reason == link.Lost && sent[e.ID]:
			lostOut[e.ID] = true
		case e.Kind == trace.Dropped && e.Reason == link.Lost:
			lostIn[e.ID] = true
		}
	})
	bubble(t, o, func(t *testing.T, p *pair) {
		c, s := p.connect(t)
		exchange(t, c, s, noise(20_000, 1), noise(20_000, 2))
	})
	if len(lostOut) < 2 || len(lostIn) < 2 {
		t.Fatalf("%d lost on their way out, %d on their way in", len(lostOut), len(lostIn))
	}
	for id := range lostIn {
		if id == 0 || sent[id] || received[id] {
			t.Errorf("%d is the ID of another packet", id)
		}
	}
}

// What they do to a packet on its way in has the ID that it is received with.
func TestSinkOfDamage(t *testing.T) {
	done := map[uint64]int{}
	o := loop.Options{Faults: link.NewPipe(link.Conditions{Delay: time.Millisecond, Duplication: 0.3}, 1)}
	o.Sink = trace.Func(func(e trace.Event) {
		switch {
		case e.Kind == trace.Note && strings.HasSuffix(e.Text, " on its way in"):
			done[e.ID] = 2
		case e.Kind == trace.Received && done[e.ID] > 0:
			done[e.ID]--
		}
	})
	bubble(t, o, func(t *testing.T, p *pair) {
		c, s := p.connect(t)
		exchange(t, c, s, noise(20_000, 1), noise(20_000, 2))
		time.Sleep(time.Second) // the last ones arrive
	})
	if len(done) < 2 || done[0] != 0 {
		t.Fatalf("done to %v", done)
	}
	for id, missing := range done {
		if missing != 0 {
			t.Errorf("%d has been duplicated, and is not received %d times", id, missing)
		}
	}
}

// Urgent data and whatever else a net.Conn does not know goes through Do.
func TestUrgent(t *testing.T) {
	bubble(t, loop.Options{}, func(t *testing.T, p *pair) {
		c, s := p.connect(t)
		must(t, c.Do(func(now time.Duration, k *rawtcp.Socket) error {
			_, err := k.WriteUrgent(now, []byte("!"))
			return err
		}))
		synctest.Wait()
		must(t, s.Do(func(now time.Duration, k *rawtcp.Socket) error {
			b, err := k.ReadUrgent(now)
			if b != '!' {
				t.Errorf("%q is urgent", b)
			}
			return err
		}))
	})
}

// Once there are buffers enough, none is allocated: neither for a packet, nor
// for a call, a deadline, or a fault.
func TestNoAllocation(t *testing.T) {
	for name, o := range map[string]loop.Options{
		"plain":  {},
		"faults": {Faults: link.NewPipe(link.Conditions{Duplication: 0.01}, 1)},
	} {
		t.Run(name, func(t *testing.T) {
			p := newPair(t, loop.MemoryOptions{}, o, loop.Options{})
			c, s := p.connect(t)
			must(t, c.SetNoDelay(true))
			must(t, c.SetDeadline(time.Now().Add(time.Hour)))
			must(t, s.SetDeadline(time.Now().Add(time.Hour)))
			b := make([]byte, 60_000) // 42 packets
			got := make([]byte, len(b))
			once := func() {
				if _, err := c.Write(b); err != nil {
					t.Fatal(err)
				}
				if _, err := io.ReadFull(s, got); err != nil {
					t.Fatal(err)
				}
			}
			for range 100 {
				once()
			}
			// A little is for what the runtime does meanwhile.
			if n := testing.AllocsPerRun(100, once); n > 2 {
				t.Errorf("%v allocations for 42 packets", n)
			}
		})
	}
}
