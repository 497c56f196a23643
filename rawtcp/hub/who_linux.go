package hub

import (
	"fmt"
	"net"

	"golang.org/x/sys/unix"
)

// whoIs says who is at the other end of conn.
func whoIs(conn net.Conn) string {
	u, ok := conn.(*net.UnixConn)
	if !ok {
		return stranger
	}
	raw, err := u.SyscallConn()
	if err != nil {
		return stranger
	}
	var cred *unix.Ucred
	_ = raw.Control(func(fd uintptr) { // then there is no cred
		cred, _ = unix.GetsockoptUcred(int(fd), unix.SOL_SOCKET, unix.SO_PEERCRED)
	})
	if cred == nil || cred.Pid == 0 {
		return stranger // or in another PID namespace
	}
	return fmt.Sprintf("process %d", cred.Pid)
}
