package hub

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net"
	"net/netip"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"sock/rawtcp/trace"
	"sock/rawtcp/wire"
)

// pipe returns what a plug has that talks to h within a bubble.
func pipe(h *Hub) net.Conn {
	ours, theirs := net.Pipe()
	h.serve(theirs, "a pipe")
	return ours
}

// pipePlug plugs in over a pipe.
func pipePlug(t *testing.T, h *Hub, address string) *Plug {
	t.Helper()
	text, err := joinText(address)
	must(t, err)
	p, err := joinStream(t.Context(), pipe(h), text)
	must(t, err)
	return p
}

// newQuiet returns a Hub within a bubble, and what it logs.
func newQuiet(t *testing.T, o Options) (*Hub, *logged) {
	t.Helper()
	log := newLogged()
	o.Log = log.add
	h, err := New(o)
	must(t, err)
	return h, log
}

// Whoever speaks something else is told so and hung up on, and nobody else is.
func TestHostileBytes(t *testing.T) {
	join := string(appendMessage(nil, kindJoin, "1 10.0.0.66"))
	packet := func(n int) string { return string(appendHeader(nil, kindPacket, n)) + strings.Repeat("x", n) }
	for name, x := range map[string]struct{ say, hear, told string }{
		"HTTP":                     {"GET / HTTP/1.0\r\n\r\n", "it speaks another protocol", ""},
		"zeros":                    {strings.Repeat("\x00", 4), "it speaks another protocol", ""},
		"ones":                     {strings.Repeat("\xff", 4), "it speaks another protocol", ""},
		"a packet first":           {packet(40), "it speaks another protocol", ""},
		"a long join":              {string(appendHeader(nil, kindJoin, maxText+1)), "it speaks another protocol", ""},
		"a reserved byte":          {"\x01\x01\x00\x00", "it speaks another protocol", ""},
		"no version":               {string(appendMessage(nil, kindJoin, "")), "it speaks another protocol", ""},
		"another version":          {string(appendMessage(nil, kindJoin, "2 auto")), `the hub speaks version 1 of the protocol, the plug version "2"`, ""},
		"no address":               {string(appendMessage(nil, kindJoin, "1")), "a plug has 1 to 8 addresses, not 0", ""},
		"many addresses":           {string(appendMessage(nil, kindJoin, "1"+strings.Repeat(" auto", 9))), "a plug has 1 to 8 addresses, not 9", ""},
		"nothing":                  {"", "it has not joined within 5s", ""},
		"half a header":            {"\x01\x00", "it has not joined within 5s", ""},
		"half a join":              {join[:10], "it has not joined within 5s", ""},
		"a long packet":            {join + packet(1501), "", "it speaks another protocol"},
		"two joins":                {join + join, "", "it speaks another protocol"},
		"a welcome":                {join + "\x02\x00\x00\x00", "", "it speaks another protocol"},
		"alive":                    {join + "\x05\x00\x00\x00", "", "it speaks another protocol"},
		"rubbish":                  {join + packet(1500) + "rubbish", "", "it speaks another protocol"},
		"a packet that is none":    {join + packet(1500) + packet(0), "", ""},
		"half a packet":            {join + packet(1500)[:1000], "", ""},
		"half a header at the end": {join + "\x04\x00", "", ""},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				h, log := newQuiet(t, Options{})
				defer h.Close()
				good, other := pipePlug(t, h, "10.0.0.1"), pipePlug(t, h, "10.0.0.2")
				defer good.Close()
				defer other.Close()
				got := make(chan struct{}, 10)
				other.Start(func(packets [][]byte) { got <- struct{}{} })
				good.Start(deaf)

				c := pipe(h)
				rest, joins := strings.CutPrefix(x.say, join)
				if joins {
					_, err := io.WriteString(c, join)
					must(t, err)
					welcome := appendMessage(nil, kindWelcome, "1500 10.0.0.66/24")
					b := make([]byte, len(welcome))
					if _, err := io.ReadFull(c, b); err != nil || !bytes.Equal(b, welcome) {
						t.Fatalf("%q: %v", b, err)
					}
				}
				_, _ = io.WriteString(c, rest) // it may hang up before the end
				synctest.Wait()
				_ = c.SetReadDeadline(time.Now().Add(time.Minute))
				if x.hear == "" && x.told == "" {
					// That may be. Who leaves then has left.
					must(t, c.Close())
				} else {
					want := ""
					if x.hear != "" {
						want = string(appendMessage(nil, kindRefuse, x.hear))
					}
					if b, err := io.ReadAll(c); string(b) != want {
						t.Errorf("%q: %v", b, err)
					}
				}
				synctest.Wait()
				told := "10.0.0.1 has joined: a pipe\n10.0.0.2 has joined: a pipe\n"
				if joins {
					told += "10.0.0.66 has joined: a pipe\n10.0.0.66 has left"
					if x.told != "" {
						told += ": " + x.told
					}
					told += "\n"
				}
				log.only(t, told)
				must(t, good.Send(0, ip(good.Addresses[0].Addr(), other.Addresses[0].Addr(), 200, nil), trace.Rule{}))
				good.Flush()
				<-got
			})
		})
	}
}

// However the bytes come, the same packets come out.
func TestPieces(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h, _ := newQuiet(t, Options{})
		defer h.Close()
		other := pipePlug(t, h, "10.0.0.2")
		defer other.Close()
		var got []int
		other.Start(func(packets [][]byte) {
			for _, p := range packets {
				got = append(got, len(p))
			}
		})
		c := pipe(h)
		defer c.Close()
		go func() { _, _ = io.Copy(io.Discard, c) }()
		all := appendMessage(nil, kindJoin, "1 10.0.0.1")
		var want []int
		for n := range 100 {
			packet := ip(netip.MustParseAddr("10.0.0.1"), netip.MustParseAddr("10.0.0.2"), 200, make([]byte, n*14))
			all = append(appendHeader(all, kindPacket, len(packet)), packet...)
			want = append(want, len(packet))
		}
		for n := 1; len(all) > 0; n = n%3001 + 7 {
			k := min(n, len(all))
			_, err := c.Write(all[:k])
			must(t, err)
			all = all[k:]
		}
		synctest.Wait()
		if len(got) != len(want) {
			t.Fatalf("%d packets have come of %d", len(got), len(want))
		}
		for i := range got {
			if got[i] != want[i] {
				t.Fatalf("packet %d has %d bytes, not %d", i, got[i], want[i])
			}
		}
	})
}

// Who is plugged in and does not read neither stops the wire nor fills the
// memory.
func TestStopped(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h, log := newQuiet(t, Options{})
		one, two, three := pipePlug(t, h, "10.0.0.1"), pipePlug(t, h, "10.0.0.2"), pipePlug(t, h, "10.0.0.3")
		one.Start(deaf) // two is never started
		got := 0
		three.Start(func(packets [][]byte) { got += len(packets) })
		packet := ip(one.Addresses[0].Addr(), netip.MustParseAddr("10.0.0.255"), wire.ProtoUDP, make([]byte, 1000))
		const n = 3 * waiting / 1000
		for range n {
			must(t, one.Send(0, packet, trace.Rule{}))
			one.Flush()
			synctest.Wait()
		}
		if got != n {
			t.Errorf("%d packets have come of %d", got, n)
		}
		log.wait(t, "10.0.0.2 does not read what comes for it, which is lost\n")
		h.lock()
		if q := h.cable.owners[two.Addresses[0].Addr()].out.(*queue); len(q.pending) > waiting+100 {
			t.Errorf("%d bytes wait", len(q.pending))
		}
		h.unlock()
		two.Start(deaf)
		synctest.Wait()
		must(t, one.Send(0, packet, trace.Rule{}))
		one.Flush()
		synctest.Wait()
		log.wait(t, "10.0.0.2 reads again; packets lost for it: ")
		for _, p := range []*Plug{one, two, three} {
			must(t, p.Close())
		}
		must(t, h.Close())
	})
}

// A plug whose hub goes away says so once, and loses what is sent.
func TestHubGone(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h, _ := newQuiet(t, Options{})
		p, q := pipePlug(t, h, "10.0.0.1"), pipePlug(t, h, "10.0.0.2")
		p.Start(deaf)
		select {
		case <-p.Done():
			t.Error("it is gone already")
		default:
		}
		if p.Err() != nil {
			t.Error(p.Err())
		}
		must(t, h.Close())
		<-p.Done()
		if err := p.Err(); err != ErrHubGone {
			t.Error(err)
		}
		for range 3 {
			must(t, p.Send(0, make([]byte, 100), trace.Rule{}))
			p.Flush()
		}
		if n := p.Lost(); n != 3 {
			t.Errorf("%d packets are lost", n)
		}
		must(t, p.Close())
		// One that has never been started can be closed too.
		must(t, q.Close())
		if err := q.Err(); !errors.Is(err, net.ErrClosed) {
			t.Error(err)
		}
		if err := h.Close(); !errors.Is(err, net.ErrClosed) {
			t.Error(err)
		}
	})
}

// What was sent before Close goes out.
func TestLastWords(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h, log := newQuiet(t, Options{})
		defer h.Close()
		p, q := pipePlug(t, h, "10.0.0.1"), pipePlug(t, h, "10.0.0.2")
		defer q.Close()
		got := 0
		q.Start(func(packets [][]byte) { got += len(packets) })
		for range 500 {
			must(t, p.Send(0, ip(p.Addresses[0].Addr(), q.Addresses[0].Addr(), 200, make([]byte, 1000)), trace.Rule{}))
		}
		must(t, p.Close())
		synctest.Wait()
		if got != 500 {
			t.Errorf("%d packets have come of 500", got)
		}
		log.only(t, "10.0.0.1 has joined: a pipe\n10.0.0.2 has joined: a pipe\n10.0.0.1 has left\n")
	})
}

// A plug does not wait for a hub that says nothing, nor believe all it hears.
func TestOddHub(t *testing.T) {
	for name, x := range map[string]struct{ say, want string }{
		"nothing":          {"", "the hub does not answer"},
		"hangs up":         {"bye", "the hub has gone"},
		"HTTP":             {"HTTP/1.0 400 Bad Request\r\n", "there is no hub, but something that speaks another protocol"},
		"a packet":         {"\x04\x00\x00\x01x", "there is no hub, but something that speaks another protocol"},
		"an empty welcome": {"\x02\x00\x00\x00", "there is no hub, but something that speaks another protocol"},
		"a small MTU":      {string(appendMessage(nil, kindWelcome, "67 10.0.0.1/24")), "there is no hub, but something that speaks another protocol"},
		"a great MTU":      {string(appendMessage(nil, kindWelcome, "65001 10.0.0.1/24")), "there is no hub, but something that speaks another protocol"},
		"an odd address":   {string(appendMessage(nil, kindWelcome, "1500 10.0.0.1")), "there is no hub, but something that speaks another protocol"},
		"no":               {string(appendMessage(nil, kindRefuse, "it is too late")), "it is too late"},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				ours, theirs := net.Pipe()
				defer theirs.Close()
				go func() {
					_, _ = theirs.Read(make([]byte, 1000))
					switch x.say {
					case "":
					case "bye":
						_ = theirs.Close()
					default:
						_, _ = io.WriteString(theirs, x.say)
					}
				}()
				ctx, cancel := context.WithTimeout(t.Context(), patience)
				defer cancel()
				_, err := joinStream(ctx, ours, "1 auto")
				if err == nil || explain(err).Error() != x.want {
					t.Errorf("%v, not %s", err, x.want)
				}
				_ = ours.Close()
			})
		})
	}
}

// A hub that goes mad is a hub that has gone.
func TestMadHub(t *testing.T) {
	for name, say := range map[string]string{
		"junk":    "junk, no more packets",
		"welcome": "\x02\x00\x00\x00",
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				ours, theirs := net.Pipe()
				defer theirs.Close()
				go func() {
					_, _ = theirs.Read(make([]byte, 1000))
					_, _ = theirs.Write(appendMessage(nil, kindWelcome, "1500 10.0.0.1/24"))
					_, _ = io.WriteString(theirs, say)
				}()
				p, err := joinStream(t.Context(), ours, "1 auto")
				must(t, err)
				p.Start(func([][]byte) { t.Error("a packet has come") })
				<-p.Done()
				if err := p.Err(); !errors.Is(err, ErrHubGone) || !errors.Is(err, errJunk) {
					t.Error(err)
				}
				must(t, p.Close())
			})
		})
	}
}

// Lines come from anywhere, and what is wrong with one does not end the hub.
func TestCommandLines(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h, log := newQuiet(t, Options{})
		defer h.Close()
		var out, wrong strings.Builder
		lines := "cut\nmendd\n\n" + strings.Repeat("x", 1<<20) + "\n# comment\nmend\r\nfreeze"
		must(t, h.Commands(strings.NewReader(lines), &out, &wrong))
		if got := out.String(); got != "cut: the wire\nmended: the wire\nfrozen\n" {
			t.Error(got)
		}
		if got := wrong.String(); got != "there is no command \"mendd\": help tells those there are\na command has 4096 bytes at most\n" {
			t.Error(got)
		}
		log.only(t, "cable cut: the wire\ncable mended: the wire\nwire frozen\n")
	})
}

// Whoever gives the commands may end the hub, and need not be heard to the end.
func TestQuit(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h, log := newQuiet(t, Options{})
		defer h.Close()
		if err := h.Commands(strings.NewReader("quit now\n quit \ncut\n"), io.Discard, io.Discard); !errors.Is(err, ErrQuit) {
			t.Error(err)
		}
		log.only(t, "")
		r, w := io.Pipe()
		must(t, r.Close())
		if err := h.Commands(strings.NewReader("list\ncut\n"), w, io.Discard); !errors.Is(err, io.ErrClosedPipe) {
			t.Error(err)
		}
		log.only(t, "")
		must(t, h.Close())
		if err := h.Commands(strings.NewReader("list\n"), io.Discard, io.Discard); !errors.Is(err, net.ErrClosed) {
			t.Error(err)
		}
	})
}

// Too many who ask do not fill the memory either.
func TestCrowd(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h, _ := newQuiet(t, Options{Plugs: 3})
		var all []net.Conn
		for range 200 {
			all = append(all, pipe(h))
		}
		synctest.Wait()
		h.mu.Lock()
		if n := len(h.things); n > 3+64 {
			t.Errorf("%d connections", n)
		}
		h.mu.Unlock()
		pass(joinTime)
		for _, c := range all {
			_ = c.Close()
		}
		synctest.Wait()
		p := pipePlug(t, h, "auto") // there is room again
		must(t, p.Close())
		must(t, h.Close())
	})
}

// Whatever bytes come, from a stream or in a datagram, the hub goes on.
func FuzzBytes(f *testing.F) {
	f.Add([]byte("\x04\x00\x00\x00"))
	f.Add(appendMessage(nil, kindLeave, ""))
	f.Add(append(appendHeader(nil, kindPacket, 28), ip(netip.MustParseAddr("10.0.0.1"), netip.MustParseAddr("255.255.255.255"), 17, make([]byte, 8))...))
	f.Fuzz(func(t *testing.T, b []byte) {
		h, err := New(Options{})
		must(t, err)
		defer h.Close()
		out := newQueue(nil, waiting)
		p, err := h.join([]string{"10.0.0.1"}, "", out)
		must(t, err)
		rest, err := h.receive(p, bytes.Clone(b))
		if err == nil && len(rest) > headerLen+1500 {
			t.Errorf("%d bytes wait for more", len(rest))
		}
		conn := (&internet{}).socket("192.0.2.1:9", "")
		d := &datagrams{hub: h, conn: conn, bulk: newBulk(conn), sessions: map[netip.AddrPort]*session{}}
		from := netip.MustParseAddrPort("192.0.2.2:1")
		right := d.token(from)
		for _, t := range [][]byte{nil, make([]byte, tokenLen), right[:]} {
			d.take(0, from, append(bytes.Clone(t), b...))
		}
		must(t, d.Close())
	})
}

// The address of a process that has died is free for the next one at once, even if
// the hub has not heard of the death yet; that of one that lives is not.
func TestJoinAfterDeath(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h, err := New(Options{})
		must(t, err)
		wanted := []string{"10.0.0.1"}
		p, err := h.join(wanted, "the old one", newQueue(nil, waiting))
		must(t, err)
		began := time.Now()
		if _, err := h.join(wanted, "", newQueue(nil, waiting)); err == nil || err.Error() != "10.0.0.1 is taken by the old one" {
			t.Error(err)
		}
		if took := time.Since(began); took != mourning {
			t.Errorf("it was refused after %v", took)
		}
		join := func() error {
			_, err := h.join(wanted, "the new one", newQueue(nil, waiting))
			return err
		}
		joined := start(join)
		synctest.Wait()
		h.leave(p, nil)
		must(t, <-joined)
		joined = start(join)
		synctest.Wait()
		must(t, h.Close())
		if err := <-joined; !errors.Is(err, net.ErrClosed) {
			t.Error(err)
		}
	})
}
