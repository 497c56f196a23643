package loop_test

import (
	"io"
	"strconv"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"sock/rawtcp/link"
	"sock/rawtcp/loop"
)

// How fast data go from one host to another, through a write of 64 KiB and reads
// of 64 KiB.
func BenchmarkTransfer(b *testing.B) {
	for _, m := range []loop.MemoryOptions{
		{MTU: 1500},
		{MTU: 1500, Offload: true},
		{MTU: 65535},
		{MTU: 65535, Offload: true},
	} {
		name := "MTU" + strconv.Itoa(m.MTU)
		if m.Offload {
			name += "Offload"
		}
		b.Run(name, func(b *testing.B) { transfer(b, m, loop.Options{}) })
	}
	for name, c := range map[string]link.Conditions{
		"Duplication": {Duplication: 0.001},
		"Delay":       {Delay: time.Millisecond},
	} {
		b.Run(name, func(b *testing.B) {
			transfer(b, loop.MemoryOptions{}, loop.Options{Faults: link.NewPipe(c, 1)})
		})
	}
}

func transfer(b *testing.B, m loop.MemoryOptions, o loop.Options) {
	p := newPair(b, m, o, loop.Options{})
	from, to := p.connect(b)
	const size = 64 << 10
	b.SetBytes(size)
	b.ReportAllocs()
	all := start(func() error {
		buf := make([]byte, size)
		for left := b.N * size; left > 0; {
			n, err := to.Read(buf)
			if err != nil {
				return err
			}
			left -= n
		}
		return nil
	})
	buf := make([]byte, size)
	b.ResetTimer()
	for range b.N {
		if _, err := from.Write(buf); err != nil {
			b.Fatal(err)
		}
	}
	if err := <-all; err != nil {
		b.Fatal(err)
	}
}

// How long it takes to say a byte and hear one.
func BenchmarkPingPong(b *testing.B) {
	p := newPair(b, loop.MemoryOptions{}, loop.Options{}, loop.Options{})
	c, s := p.connect(b)
	go func() { _, _ = io.CopyBuffer(s, s, make([]byte, 1)) }()
	b.ReportAllocs()
	buf := make([]byte, 1)
	for b.Loop() {
		if _, err := c.Write(buf); err != nil {
			b.Fatal(err)
		}
		if _, err := io.ReadFull(c, buf); err != nil {
			b.Fatal(err)
		}
	}
}

// How fast data go when a hundred connections have some.
func BenchmarkHundred(b *testing.B) {
	p := newPair(b, loop.MemoryOptions{}, loop.Options{}, loop.Options{})
	n, err := p.b.Listen(port, 100)
	if err != nil {
		b.Fatal(err)
	}
	const size = 64 << 10
	b.SetBytes(size)
	b.ReportAllocs()
	var all sync.WaitGroup
	var left atomic.Int64
	left.Store(int64(b.N))
	for range 100 {
		c, err := p.a.Dial(b.Context(), port)
		if err != nil {
			b.Fatal(err)
		}
		s, err := n.AcceptConn()
		if err != nil {
			b.Fatal(err)
		}
		all.Go(func() {
			buf := make([]byte, size)
			for left.Add(-1) >= 0 {
				if _, err := c.Write(buf); err != nil {
					b.Error(err)
				}
			}
			if err := c.CloseWrite(); err != nil {
				b.Error(err)
			}
		})
		all.Go(func() {
			if _, err := io.CopyBuffer(io.Discard, s, make([]byte, size)); err != nil {
				b.Error(err)
			}
		})
	}
	all.Wait()
}

// How long it takes to open a connection and to close it, both ways.
func BenchmarkDial(b *testing.B) {
	p := newPair(b, loop.MemoryOptions{}, loop.Options{}, loop.Options{})
	n := p.listen(b)
	b.ReportAllocs()
	for b.Loop() {
		c, err := p.a.Dial(b.Context(), port)
		if err != nil {
			b.Fatal(err)
		}
		s, err := n.AcceptConn()
		if err != nil {
			b.Fatal(err)
		}
		_ = s.SetLinger(0)
		if err := s.Close(); err != nil {
			b.Fatal(err)
		}
		_ = c.Close()
	}
}
