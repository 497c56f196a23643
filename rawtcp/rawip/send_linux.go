package rawip

import (
	"syscall"
	"unsafe"

	"github.com/mdlayher/socket"
	"golang.org/x/net/bpf"
	"golang.org/x/sys/unix"
)

// sender sends packets of one version of IP, with the headers that they have.
type sender struct {
	conn *socket.Conn
	raw  syscall.RawConn
	is4  bool

	packets  [batch][]byte // that wait
	n        int
	messages [batch]message
	vectors  [batch]unix.Iovec
	names    [batch]unix.RawSockaddrAny
	flushing func(fd uintptr) bool // (*sender).write, made once
	refused  func(packet []byte, why unix.Errno)
}

// newSender returns a sender. refused is told of packets that the kernel did not
// take.
func newSender(is4 bool, refused func(packet []byte, why unix.Errno)) (*sender, error) {
	// A socket of IPPROTO_RAW takes whole packets, as IP_HDRINCL has it, and
	// receives nothing: raw(7). So does one of IPv6, which has no option for it
	// in older kernels.
	c, err := socket.Socket(domain(is4), unix.SOCK_RAW, unix.IPPROTO_RAW, "raw IP", nil)
	if err != nil {
		return nil, err
	}
	s := &sender{conn: c, is4: is4, refused: refused}
	s.flushing = s.write
	if err = setFilter(c, nothing()); err == nil {
		err = setBuffer(c, unix.SO_SNDBUFFORCE, unix.SO_SNDBUF)
	}
	if err == nil {
		s.raw, err = c.SyscallConn()
	}
	if err != nil {
		_ = c.Close()
		return nil, err
	}
	return s, nil
}

// add has a packet wait for the next flush, and reports whether there is no more
// room.
func (s *sender) add(packet []byte) (full bool) {
	i := s.n
	name := &s.names[i]
	length := uint32(unix.SizeofSockaddrInet4)
	if s.is4 {
		to := (*unix.RawSockaddrInet4)(unsafe.Pointer(name))
		to.Family = unix.AF_INET
		to.Addr = [4]byte(packet[16:20])
	} else {
		to := (*unix.RawSockaddrInet6)(unsafe.Pointer(name))
		to.Family = unix.AF_INET6
		to.Addr = [16]byte(packet[24:40])
		length = unix.SizeofSockaddrInet6
	}
	s.packets[i] = packet
	s.messages[i].point(&s.vectors[i], packet, name, length)
	s.n++
	return s.n == batch
}

// flush sends what waits, and returns the packets that have waited.
func (s *sender) flush() [][]byte {
	if s.n == 0 {
		return nil
	}
	n := s.n
	_ = s.raw.Write(s.flushing) // it may have been closed
	s.n = 0
	return s.packets[:n]
}

// write does the system calls. It waits for nothing: what finds no room is lost,
// as on any link that is slower than its sender.
func (s *sender) write(fd uintptr) bool {
	for done := 0; done < s.n; {
		n, errno := sendmmsg(fd, s.messages[done:s.n])
		switch errno {
		case 0:
			done += n
		case unix.EINTR:
		case unix.EAGAIN:
			return true
		default:
			s.refused(s.packets[done], errno)
			done++
		}
	}
	return true
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
