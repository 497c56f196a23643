package batch

import (
	"fmt"
	"os"
	"slices"
	"syscall"
	"testing"

	"golang.org/x/sys/unix"
)

// pair returns two sockets of which each sends to the other.
func pair(t *testing.T) (a, b syscall.RawConn) {
	t.Helper()
	fds, err := unix.Socketpair(unix.AF_UNIX, unix.SOCK_DGRAM|unix.SOCK_NONBLOCK|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		t.Fatal(err)
	}
	var ends [2]syscall.RawConn
	for i, fd := range fds {
		f := os.NewFile(uintptr(fd), "socketpair")
		t.Cleanup(func() { _ = f.Close() })
		if ends[i], err = f.SyscallConn(); err != nil {
			t.Fatal(err)
		}
	}
	return ends[0], ends[1]
}

// Packets arrive whole and in order, with what is before and behind them, though
// there is room in the socket for a few only; one that is refused costs no other.
func TestQueue(t *testing.T) {
	from, to := pair(t)
	refused := 0
	buffers := NewBuffers(16)
	q := NewQueue(buffers, from, func(fd uintptr, b *Batch) bool {
		return b.SendMessages(fd, func(packet []byte, why unix.Errno) {
			refused++
			if string(packet) != "long" || why != unix.EMSGSIZE {
				t.Errorf("%q is refused: %v", packet, why)
			}
		})
	})
	var want []string
	got := make(chan []string)
	const n = 3*Len + 5
	go func() {
		r := NewReceiver()
		for i := range Len {
			r.Put(i, r.Heads[i][:2], make([]byte, 16), nil)
		}
		var all []string
		for len(all) < n {
			if err := r.Receive(to); err != nil {
				t.Error(err)
				break
			}
			for i := range r.Len() {
				all = append(all, string(r.Heads[i][:2])+string(r.Packets[i][:r.Received(i)-2]))
			}
		}
		got <- all
	}()
	huge := make([]byte, 16<<20)
	for i := range n {
		if i == Len/2 {
			q.Add(0, append(buffers.Buffer(), "long"...), huge)
		}
		copy(q.Head()[:], "h:")
		q.Add(2, fmt.Append(buffers.Buffer(), i), []byte("!"))
		want = append(want, fmt.Sprintf("h:%d!", i))
	}
	if w := q.Waiting(); w != len("95!96!97!98!99!100!") {
		t.Errorf("%d bytes wait", w)
	}
	q.Swap()
	if w := q.Waiting(); w != 0 {
		t.Errorf("%d bytes wait still", w)
	}
	q.Write()
	q.Swap()
	if all := <-got; !slices.Equal(all, want) {
		t.Errorf("got  %q\nwant %q", all, want)
	}
	if refused != 1 {
		t.Errorf("%d were refused", refused)
	}
}

// What has been sent is used again.
func TestBuffers(t *testing.T) {
	from, to := pair(t)
	buffers := NewBuffers(16)
	q := NewQueue(buffers, from, func(fd uintptr, b *Batch) bool {
		return b.SendMessages(fd, func(_ []byte, why unix.Errno) { t.Error(why) })
	})
	r := NewReceiver()
	for i := range Len {
		r.Put(i, nil, make([]byte, 16), nil)
	}
	if allocs := testing.AllocsPerRun(100, func() {
		q.Add(0, append(buffers.Buffer(), "flush"...), nil)
		q.Flush()
		q.Add(0, append(buffers.Buffer(), "write"...), nil)
		q.Swap()
		q.Write()
		if err := r.Receive(to); err != nil || r.Len() != 2 {
			t.Fatal(r.Len(), err)
		}
	}); allocs > 0 {
		t.Errorf("%v allocations", allocs)
	}
}
