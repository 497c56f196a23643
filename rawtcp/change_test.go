package rawtcp_test

import (
	"bytes"
	"errors"
	"io"
	"testing"
	"time"

	"sock/rawtcp"
	"sock/rawtcp/link"
	"sock/rawtcp/profile"
	"sock/rawtcp/tcb"
	"sock/rawtcp/wire"
)

// program is a user of sockets that acts when it begins, and then only if
// OnChange has said so. run reports whether it has come to its end.
type program struct {
	due  bool
	done bool
	run  func() bool
}

// start starts a program that uses k.
func (w *world) start(all *[]*program, k *rawtcp.Socket, run func() bool) {
	p := &program{due: true, run: run}
	k.OnChange(func() { p.due = true })
	*all = append(*all, p)
}

// runPrograms runs until all are done, and fails if one of them waits and
// nothing will happen any more.
func (w *world) runPrograms(all *[]*program) {
	w.t.Helper()
	w.until("the end of all programs", func() bool {
		waiting := 0
		for i := 0; i < len(*all); i++ {
			if p := (*all)[i]; !p.done {
				if p.due {
					p.due = false
					p.done = p.run()
				}
				if !p.done {
					waiting++
				}
			}
		}
		for _, p := range *all {
			if p.due && !p.done {
				return false // it has been told by another one, or by itself
			}
		}
		return waiting == 0
	})
}

// echo sends back what comes, and closes, lingering, when that has an end.
func (w *world) echo(all *[]*program, k *rawtcp.Socket) {
	var pending []byte
	eof, closing := false, false
	w.ok(k.Set(w.now, rawtcp.Linger, 100))
	w.start(all, k, func() bool {
		buf := make([]byte, 700)
		for !closing {
			if len(pending) > 0 {
				n, err := k.Write(w.now, pending)
				if pending = pending[n:]; errors.Is(err, rawtcp.ErrWouldBlock) {
					return false
				}
				w.ok(err)
				continue
			}
			if closing = eof; eof {
				break
			}
			n, err := k.Read(w.now, buf)
			pending = append(pending, buf[:n]...)
			switch {
			case errors.Is(err, rawtcp.ErrWouldBlock):
				return false
			case errors.Is(err, io.EOF):
				eof = true
			default:
				w.ok(err)
			}
		}
		return k.Close(w.now) == nil
	})
}

// talk connects, writes all of text and reads it back.
func (w *world) talk(all *[]*program, h, to *host, text []byte, got *bytes.Buffer) {
	k := h.dial(to, 7)
	left := text
	shut, closing := false, false
	w.start(all, k, func() bool {
		for len(left) > 0 && k.CanWrite() {
			n, err := k.Write(w.now, left)
			left = left[n:]
			w.ok(err)
		}
		if len(left) == 0 && !shut {
			shut = true
			w.ok(k.Shutdown(w.now))
		}
		buf := make([]byte, 1000)
		for !closing && k.CanRead() {
			n, err := k.Read(w.now, buf)
			got.Write(buf[:n])
			closing = errors.Is(err, io.EOF)
			if !closing {
				w.ok(err)
			}
		}
		if closing {
			return k.Close(w.now) == nil
		}
		return false
	})
}

// TestOnChangeIsEnough: a program that acts on nothing but OnChange never waits
// for ever, whatever the network does, and all bytes come.
func TestOnChangeIsEnough(t *testing.T) {
	for _, name := range profile.Names() {
		for seed := range uint64(3) {
			w := newWorld(t, link.LinkOptions{})
			w.net = link.NewNetwork(seed, nil)
			w.wire = w.net.Link("wire", link.LinkOptions{Conditions: link.Conditions{
				Delay: 3 * time.Millisecond, Loss: 0.05, Duplication: 0.05, Reordering: 0.1,
			}})
			server, client := w.host("server", name), w.host("client", name, "sndbuf=3000", "rcvbuf=2000")
			var all []*program
			l := server.listen(7, 1)
			const clients = 4
			accepted := 0
			w.start(&all, l, func() bool {
				for l.CanRead() {
					a, err := l.Accept(w.now)
					w.ok(err)
					w.echo(&all, a)
					accepted++
				}
				return accepted == clients
			})
			text := make([]byte, 20_000)
			for i := range text {
				text[i] = byte(i * 7)
			}
			var got [clients]bytes.Buffer
			for i := range got {
				w.talk(&all, client, server, text, &got[i])
			}
			w.runPrograms(&all)
			for i := range got {
				if !bytes.Equal(got[i].Bytes(), text) {
					t.Errorf("%s, %d: client %d has got %d bytes back", name, seed, i, got[i].Len())
				}
			}
		}
	}
}

// What ends a wait without data: each of these has to be told.
func TestOnChangeTells(t *testing.T) {
	for _, c := range []struct {
		what string
		in   situation
		then func(*lone, *rawtcp.Socket, *peer)
		is   func(*rawtcp.Socket) bool
	}{
		{
			"a connection", isSynSent,
			func(_ *lone, _ *rawtcp.Socket, p *peer) { p.send(wire.SYN|wire.ACK, "") },
			func(k *rawtcp.Socket) bool { return k.CanWrite() },
		},
		{
			"a refusal", isSynSent,
			func(_ *lone, _ *rawtcp.Socket, p *peer) { p.send(wire.RST|wire.ACK, "") },
			func(k *rawtcp.Socket) bool { return k.CanRead() && k.CanWrite() },
		},
		{
			"nobody answers", isSynSent,
			func(l *lone, _ *rawtcp.Socket, _ *peer) { l.pass(time.Hour) },
			func(k *rawtcp.Socket) bool { return k.CanRead() && k.CanWrite() },
		},
		{
			"data", isEstablished,
			func(_ *lone, _ *rawtcp.Socket, p *peer) { p.send(wire.ACK, "x") },
			func(k *rawtcp.Socket) bool { return k.CanRead() },
		},
		{
			"the end", isEstablished,
			func(_ *lone, _ *rawtcp.Socket, p *peer) { p.send(wire.FIN|wire.ACK, "") },
			func(k *rawtcp.Socket) bool { return k.CanRead() },
		},
		{
			"a reset", isEstablished,
			func(_ *lone, _ *rawtcp.Socket, p *peer) { p.send(wire.RST, "") },
			func(k *rawtcp.Socket) bool { return k.State() == tcb.Closed },
		},
		{
			"the end of 2MSL", isTimeWait,
			func(l *lone, _ *rawtcp.Socket, _ *peer) { l.pass(time.Hour) },
			func(k *rawtcp.Socket) bool { return k.State() == tcb.Closed },
		},
		{
			"a client", isListening,
			func(l *lone, _ *rawtcp.Socket, _ *peer) { l.peer(at(there, 9), at(here, 4000)).open() },
			func(k *rawtcp.Socket) bool { return k.CanRead() },
		},
		{
			"the end of a linger time", isLingering,
			func(l *lone, _ *rawtcp.Socket, _ *peer) { l.pass(10 * time.Second) },
			func(k *rawtcp.Socket) bool { return k.Close(10*time.Second) == nil },
		},
		{
			"its user's close", isListening,
			func(l *lone, k *rawtcp.Socket, _ *peer) { l.ok(k.Close(l.now)) },
			func(k *rawtcp.Socket) bool { return k.State() == tcb.Closed },
		},
	} {
		l, k, p := in(t, c.in, "")
		told := 0
		k.OnChange(func() { told++ })
		c.then(l, k, p)
		if told == 0 || !c.is(k) {
			t.Errorf("%s: told %d times, %v", c.what, told, k.State())
		}
	}
}
