package rawip

import (
	"encoding/binary"
	"syscall"

	"github.com/mdlayher/socket"
	"golang.org/x/net/bpf"
	"golang.org/x/sys/unix"

	"sock/rawtcp/batch"
)

// sender sends packets of one version of IP, with the headers that they have.
type sender struct {
	conn *socket.Conn
	*batch.Queue
}

// newSender returns a sender. tooBig is told of a packet that the kernel did not
// take because of its length, the first of a batch.
func newSender(is4 bool, buffers *batch.Buffers, tooBig func(packet []byte)) (*sender, error) {
	// A socket of IPPROTO_RAW takes whole packets, as IP_HDRINCL has it, and
	// receives nothing: raw(7). So does one of IPv6, which has no option for it
	// in older kernels.
	c, err := socket.Socket(domain(is4), unix.SOCK_RAW, unix.IPPROTO_RAW, "raw IP", nil)
	if err != nil {
		return nil, err
	}
	if err = setFilter(c, nothing()); err == nil {
		err = setBuffer(c, unix.SO_SNDBUFFORCE, unix.SO_SNDBUF)
	}
	var raw syscall.RawConn
	if err == nil {
		raw, err = c.SyscallConn()
	}
	if err != nil {
		_ = c.Close()
		return nil, err
	}
	q := batch.NewQueue(buffers, raw, func(fd uintptr, b *batch.Batch) bool {
		// It waits for nothing: what finds no room is lost, as on any link that
		// is slower than its sender.
		told := false
		b.SendMessages(fd, func(packet []byte, why unix.Errno) {
			if why == unix.EMSGSIZE && !told {
				told = true
				tooBig(packet)
			}
		})
		return true
	})
	return &sender{c, q}, nil
}

// add has a packet wait for the next Flush.
func (s *sender) add(is4 bool, packet []byte) {
	to := s.Head()
	if is4 { // struct sockaddr_in
		binary.NativeEndian.PutUint16(to[:], unix.AF_INET)
		copy(to[4:], packet[16:20])
		s.AddTo(unix.SizeofSockaddrInet4, packet)
		return
	}
	binary.NativeEndian.PutUint16(to[:], unix.AF_INET6)
	copy(to[8:], packet[24:40])
	s.AddTo(unix.SizeofSockaddrInet6, packet)
}

func domain(is4 bool) int {
	if is4 {
		return unix.AF_INET
	}
	return unix.AF_INET6
}

// room is how much may wait in a socket, in bytes.
const room = 8 << 20

// setBuffer sets the size of a buffer, by force if the process may.
func setBuffer(c *socket.Conn, force, ask int) error {
	if c.SetsockoptInt(unix.SOL_SOCKET, force, room) == nil {
		return nil
	}
	return c.SetsockoptInt(unix.SOL_SOCKET, ask, room)
}

func setFilter(c *socket.Conn, program []bpf.Instruction) error {
	raw, err := bpf.Assemble(program)
	if err != nil {
		return err
	}
	return c.SetBPF(raw)
}
