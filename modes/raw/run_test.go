package raw_test

import (
	"fmt"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"sock/modes"
	"sock/opts"
	"sock/rawtcp/link"
	"sock/rawtcp/loop"
	"sock/rawtcp/profile"
)

// Section 18.2: what is typed at one end is printed at the other.
func TestClientAndServer(t *testing.T) {
	bubble(t, slow(20*time.Millisecond), loop.Options{}, func(t *testing.T, p pair) {
		s := p.b.start(t, "-v -s 8888")
		c := p.a.start(t, "-v -b1098 10.0.0.2 8888")
		p.a.types("hello, world\n")
		p.b.types("and hi there\n")
		time.Sleep(time.Second)
		if got := p.b.printed(); got != "hello, world\n" {
			t.Errorf("the server has %q", got)
		}
		if got := p.a.printed(); got != "and hi there\n" {
			t.Errorf("the client has %q", got)
		}
		p.a.end()
		c.want(t, 0)
		s.want(t, 0)
		p.b.wantTold(t, "listening on 0.0.0.0.8888", "connection closed by peer")
		p.a.wantTold(t, "connected on 10.0.0.1.1098 to 10.0.0.2.8888")
	})
}

// Nothing is lost that is typed while segments come, and the other way round.
func TestWaitForBoth(t *testing.T) {
	bubble(t, slow(3*time.Millisecond), loop.Options{}, func(t *testing.T, p pair) {
		s := p.b.start(t, "-s 8888")
		c := p.a.start(t, "10.0.0.2 8888")
		const n = 300
		for range n {
			p.a.types("a")
			p.b.types("b")
			time.Sleep(time.Millisecond)
		}
		time.Sleep(time.Second)
		if got := p.b.printed(); got != strings.Repeat("a", n) {
			t.Errorf("the server has %q", got)
		}
		if got := p.a.printed(); got != strings.Repeat("b", n) {
			t.Errorf("the client has %q", got)
		}
		p.a.end()
		c.want(t, 0)
		s.want(t, 0)
	})
}

// Section 18.5: after its FIN the client still gets the answer.
func TestHalfClose(t *testing.T) {
	bubble(t, loop.Options{}, loop.Options{}, func(t *testing.T, p pair) {
		s := p.b.start(t, "-v -h -s 7777")
		c := p.a.start(t, "-h 10.0.0.2 7777")
		p.a.types("question\n")
		p.a.end()
		p.b.types("answer\n")
		time.Sleep(time.Second)
		p.b.end()
		c.want(t, 0)
		s.want(t, 0)
		if got := p.a.printed(); got != "answer\n" {
			t.Errorf("the client has %q", got)
		}
		if got := p.b.printed(); got != "question\n" {
			t.Errorf("the server has %q", got)
		}
	})
}

// Figure 18.15: a close with a linger time of 0 is a reset.
func TestLingerReset(t *testing.T) {
	bubble(t, loop.Options{}, loop.Options{}, func(t *testing.T, p pair) {
		s := p.b.start(t, "-s 8888")
		c := p.a.start(t, "-L0 -b1098 10.0.0.2 8888")
		p.a.types("hello\n")
		time.Sleep(time.Second)
		p.a.end()
		c.want(t, 0)
		s.want(t, 1)
		p.b.wantTold(t, "read error: Connection reset by peer",
			"10.0.0.1.1098 sent a RST, as it does if its process closes with data unread or with -L0, "+
				"or if its host knows no such connection: look for the reason at that end")
	})
}

// Section 18.8: both ends send a SYN before they have got one. There is one
// connection, and no server.
func TestSimultaneousOpen(t *testing.T) {
	bubble(t, slow(time.Second), loop.Options{}, func(t *testing.T, p pair) {
		a := p.a.start(t, "-v -b8888 10.0.0.2 7777")
		b := p.b.start(t, "-v -b7777 10.0.0.1 8888")
		time.Sleep(5 * time.Second)
		p.a.wantTold(t, "connected on 10.0.0.1.8888 to 10.0.0.2.7777")
		p.b.wantTold(t, "connected on 10.0.0.2.7777 to 10.0.0.1.8888")
		p.a.types("from a\n")
		time.Sleep(5 * time.Second)
		if got := p.b.printed(); got != "from a\n" {
			t.Errorf("b has %q", got)
		}
		p.a.end()
		a.want(t, 0)
		b.want(t, 0)
	})
}

// Who has said something in vain is told so, and who has only asked whether the
// other end is there, with -K, is told that.
func TestNoAnswer(t *testing.T) {
	for _, c := range []struct{ typed, want string }{
		{"", "nothing came from 10.0.0.2.8888, and no answer to the probes of -K"},
		{"hello\n", "what was sent again and again was never acknowledged by 10.0.0.2.8888"},
	} {
		cable := link.NewPipe(link.Conditions{}, 1)
		cable.Cut(5*time.Second, link.Everybody)
		bubble(t, loop.Options{Faults: cable}, loop.Options{}, func(t *testing.T, p pair) {
			server := p.b.start(t, "-K -s 8888")
			client := p.a.start(t, "-K 10.0.0.2 8888")
			time.Sleep(6 * time.Second)
			p.a.types(c.typed)
			client.want(t, 1)
			p.a.wantTold(t, "read error: Connection timed out", c.want+": see whether that host is up and the way to it whole")
			server.want(t, 1)
		})
	}
}

// What goes out comes back.
func TestEcho(t *testing.T) {
	bubble(t, loop.Options{}, loop.Options{}, func(t *testing.T, p pair) {
		s := p.b.start(t, "-s --echo 7")
		c := p.a.start(t, "-h 10.0.0.2 7")
		text := strings.Repeat("all that is typed is echoed\n", 10_000)
		p.a.types(text)
		p.a.end()
		c.want(t, 0)
		s.want(t, 0)
		if got := p.a.printed(); got != text {
			t.Errorf("%d bytes have come back of %d, or others", len(got), len(text))
		}
	})
}

// The source's last data and its FIN are still under way when its process would
// end: not a byte is lost.
func TestSourceAndSink(t *testing.T) {
	lossy := link.Conditions{Delay: 5 * time.Millisecond, Loss: 0.01}
	for name, o := range map[string]loop.Options{
		"perfect": {},
		"delayed": slow(50 * time.Millisecond),
		"lossy":   {Faults: link.NewPipe(lossy, 2)},
	} {
		t.Run(name, func(t *testing.T) {
			bubble(t, o, loop.Options{}, func(t *testing.T, p pair) {
				s := p.b.start(t, "-i -s -r65536 --json 5555")
				c := p.a.start(t, "-i -w65536 -n160 --tcp-info 10.0.0.2 5555")
				c.want(t, 0)
				s.want(t, 0)
				if got := p.b.printed(); !strings.Contains(got, `"bytes":10485760,`) {
					t.Errorf("the sink tells %s", got)
				}
				if got := p.a.told(); !strings.Contains(got, "TCP_INFO: snd_mss = 1448\n") {
					t.Errorf("the source tells %s", got)
				}
			})
		})
	}
}

// -F serves all that come, at the same time.
func TestFork(t *testing.T) {
	bubble(t, slow(time.Millisecond), loop.Options{}, func(t *testing.T, p pair) {
		o, err := opts.Parse(strings.Fields("-s -F --echo -q100 7"))
		must(t, err)
		status := make(chan int)
		go func() { status <- modes.Run(p.b.host, o) }()
		synctest.Wait()
		var all []modes.Socket
		for range 50 {
			c := p.a.socket(t)
			must(t, c.Connect(at("10.0.0.2:7"), 0))
			all = append(all, c)
		}
		for i, c := range all {
			text := fmt.Sprintf("client %d", i)
			_, err := c.Write([]byte(text))
			must(t, err)
			buf := make([]byte, 100)
			n, err := c.Read(buf)
			if string(buf[:n]) != text {
				t.Errorf("%q has come back: %v", buf[:n], err)
			}
			must(t, c.Close())
		}
		p.over(t)
		if got := <-status; got != 1 {
			t.Errorf("a listening socket that is closed gives status %d", got)
		}
	})
}

// The usage names all systems that there are.
func TestSystems(t *testing.T) {
	for _, f := range opts.Flags() {
		if f.Name != "profile" {
			continue
		}
		for _, name := range profile.Names() {
			if !strings.Contains(f.Help, name) {
				t.Errorf("%s is not in %q", name, f.Help)
			}
		}
	}
}
