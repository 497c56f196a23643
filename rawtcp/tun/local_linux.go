package tun

import (
	"bytes"
	"fmt"
	"net/netip"
	"syscall"

	"golang.org/x/sys/unix"
)

// routes tells of the IPv6 routes that the kernel makes: rtnetlink(7). Those of its
// own addresses it makes a little after these have been given to a device, even
// without the detection of duplicates, and until then it drops what comes for them.
type routes struct{ fd int }

func openRoutes() (r routes, err error) {
	r.fd, err = unix.Socket(unix.AF_NETLINK, unix.SOCK_RAW|unix.SOCK_CLOEXEC, unix.NETLINK_ROUTE)
	if err != nil {
		return r, err
	}
	if err := unix.Bind(r.fd, &unix.SockaddrNetlink{Family: unix.AF_NETLINK, Groups: unix.RTMGRP_IPV6_ROUTE}); err != nil {
		r.close()
		return r, err
	}
	// Far more than it takes, so that a kernel that says nothing is no hang.
	if err := unix.SetsockoptTimeval(r.fd, unix.SOL_SOCKET, unix.SO_RCVTIMEO, &unix.Timeval{Sec: 10}); err != nil {
		r.close()
		return r, err
	}
	return r, nil
}

func (r routes) close() { unix.Close(r.fd) }

// await waits until the kernel takes packets for an address of its own.
func (r routes) await(a netip.Addr) error {
	b := make([]byte, 1<<14)
	for {
		n, _, err := unix.Recvfrom(r.fd, b, 0)
		switch err {
		case nil:
		case unix.EINTR:
			continue
		default:
			return fmt.Errorf("waiting for its route: %w", err)
		}
		messages, err := syscall.ParseNetlinkMessage(b[:n])
		if err != nil {
			return err
		}
		for _, m := range messages {
			if isLocal(m, a) {
				return nil
			}
		}
	}
}

// isLocal reports whether a message tells of the route to an address of this
// machine.
func isLocal(m syscall.NetlinkMessage, a netip.Addr) bool {
	const kind = 7 // rtm_type of struct rtmsg
	if m.Header.Type != unix.RTM_NEWROUTE || len(m.Data) < unix.SizeofRtMsg || m.Data[kind] != unix.RTN_LOCAL {
		return false
	}
	attributes, err := syscall.ParseNetlinkRouteAttr(&m)
	if err != nil {
		return false
	}
	for _, x := range attributes {
		if x.Attr.Type == unix.RTA_DST && bytes.Equal(x.Value, a.AsSlice()) {
			return true
		}
	}
	return false
}
