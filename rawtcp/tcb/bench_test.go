package tcb_test

import (
	"testing"
	"time"

	"sock/rawtcp/profile"
	"sock/rawtcp/tcb"
	"sock/rawtcp/wire"
)

// ends are two machines that are joined without a link between them.
type ends struct {
	testing.TB
	a, b *tcb.TCB
	now  time.Duration
	seg  wire.Segment
}

func newEnds(tb testing.TB, mtu int, settings ...string) *ends {
	p, err := profile.Get("")
	if err != nil {
		tb.Fatal(err)
	}
	for _, s := range settings {
		if err := profile.Set(p, s); err != nil {
			tb.Fatal(err)
		}
	}
	e := &ends{TB: tb}
	e.a = tcb.New(&p.TCP, tcb.Params{LocalPort: 1, RemotePort: 2, MTU: mtu, IPHeader: 20, Local: true})
	e.b = tcb.New(&p.TCP, tcb.Params{LocalPort: 2, RemotePort: 1, MTU: mtu, IPHeader: 20, Local: true})
	return e
}

func (e *ends) open() {
	_ = e.b.OpenPassive(e.now, 1)
	_ = e.a.OpenActive(e.now, 2)
	e.a.SetNoDelay(true)
	e.settle()
}

// settle carries segments until none is left.
func (e *ends) settle() {
	s := &e.seg
	n := 0
	for more := true; more; {
		more = false
		for e.a.Output(e.now, s) && n < 1e5 {
			e.b.Input(e.now, s)
			more = true
			n++
		}
		for e.b.Output(e.now, s) && n < 1e5 {
			e.a.Input(e.now, s)
			more = true
			n++
		}
		if n >= 1e5 {
			e.Fatal("no end of segments")
		}
	}
}

// move carries p from a to b; it lands in q.
func (e *ends) move(p, q []byte) {
	limit := e.now + time.Hour
	for sent, got := 0, 0; got < len(p); {
		if e.now > limit {
			e.Fatal("stuck")
		}
		n, _ := e.a.Send(e.now, p[sent:])
		sent += n
		e.settle()
		n, _ = e.b.Read(e.now, q[got:])
		got += n
		e.now += 100 * time.Microsecond
		e.a.Tick(e.now)
		e.b.Tick(e.now)
	}
}

// BenchmarkData is bulk data from one machine to the other.
func BenchmarkData(b *testing.B) {
	for _, c := range []struct {
		name string
		mtu  int
	}{{"mtu 1500", 1500}, {"mtu 65535", 65535}} {
		b.Run(c.name, func(b *testing.B) {
			e := newEnds(b, c.mtu)
			e.open()
			p, q := make([]byte, 64<<10), make([]byte, 64<<10)
			b.SetBytes(int64(len(p)))
			b.ReportAllocs()
			for b.Loop() {
				e.move(p, q)
			}
		})
	}
}

// BenchmarkConnection opens and closes one connection.
func BenchmarkConnection(b *testing.B) {
	b.ReportAllocs()
	for b.Loop() {
		e := newEnds(b, 1500)
		e.open()
		_ = e.a.Close(e.now)
		e.settle()
		_ = e.b.Close(e.now)
		e.settle()
	}
}

// TestNoAllocations: nothing is allocated on the data path.
func TestNoAllocations(t *testing.T) {
	e := newEnds(t, 1500)
	e.open()
	p, q := make([]byte, 64<<10), make([]byte, 64<<10)
	round := func() { e.move(p, q) }
	for range 100 {
		round() // until buffers have grown, and the window
	}
	if n := testing.AllocsPerRun(100, round); n > 0 {
		t.Errorf("%v allocations for 64 KiB", n)
	}
}
