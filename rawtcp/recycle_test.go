package rawtcp_test

import (
	"testing"
	"time"

	"sock/rawtcp"
	"sock/rawtcp/link"
	"sock/rawtcp/tcb"
)

// A connection that takes over the memory of one that has ended knows nothing of
// it, however that one has ended; and not all of the memory is kept.
func TestRecycle(t *testing.T) {
	w := newWorld(t, link.LinkOptions{})
	client, server := w.host("client", ""), w.host("server", "")
	l := server.listen(7, 500)
	const n = 300
	var fresh [2]tcb.Info // of ends that nobody was before
	for round := range 3 {
		var ends []*rawtcp.Socket
		for range n {
			c := client.dial(server, 7)
			w.until("the handshake", func() bool { return c.State() == tcb.Established && l.CanRead() })
			s, err := l.Accept(w.now)
			w.ok(err)
			if begin := [2]tcb.Info{common(c), common(s)}; fresh == [2]tcb.Info{} {
				fresh = begin
			} else if fresh != begin || s.CanRead() || s.HasUrgent() || c.Err() != nil || s.Err() != nil {
				t.Fatalf("round %d: it begins with %+v, and not with %+v", round, begin, fresh)
			}
			_, err = c.WriteUrgent(w.now, []byte("hello"))
			w.ok(err)
			ends = append(ends, c, s)
		}
		w.until("all data", func() bool { return ends[len(ends)-1].CanRead() })
		for i, k := range ends {
			switch i % 6 {
			case 0, 4:
				w.ok(k.Abort(w.now))
			default:
				w.ok(k.Close(w.now))
			}
		}
		w.run(0)
		for _, h := range []*host{client, server} {
			if err := h.Check(w.now); err != nil {
				t.Fatal(err)
			}
			if k := h.Spares(); k < n/2 || k > 256 {
				t.Errorf("round %d: %d of %d are kept", round, k, n)
			}
		}
	}
}

// common returns what all connections begin with.
func common(k *rawtcp.Socket) tcb.Info {
	in := k.Info()
	in.LocalPort, in.RemotePort = 0, 0
	in.ISS, in.IRS, in.SndUna, in.SndNxt, in.RcvNxt = 0, 0, 0, 0, 0
	in.Timers = [tcb.NumTimers]time.Duration{}
	return in
}
