package loop_test

import (
	"io"
	"strconv"
	"testing"

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
		b.Run(name, func(b *testing.B) {
			p := newPair(b, m, loop.Options{}, loop.Options{})
			c, s := p.connect(b)
			transfer(b, c, s)
		})
	}
}

func transfer(b *testing.B, from io.Writer, to io.Reader) {
	const size = 64 << 10
	b.SetBytes(size)
	b.ReportAllocs()
	all := make(chan error, 1)
	go func() {
		buf := make([]byte, size)
		for left := b.N * size; left > 0; {
			n, err := to.Read(buf)
			if err != nil {
				all <- err
				return
			}
			left -= n
		}
		all <- nil
	}()
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
