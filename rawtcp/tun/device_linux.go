package tun

import (
	"encoding/binary"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"os"

	"golang.org/x/sys/unix"
)

const tunFile = "/dev/net/tun"

// Open makes a TUN device, which is down yet and gone when the file is closed, or
// attaches to one that is there and stays; name is what it is called, "" is for
// the kernel to choose. Each read and write is of one IP packet, whose checksums
// are complete.
//
// It needs CAP_NET_ADMIN, or a device that belongs to the user; without, the
// error says what can be done.
func Open(name string) (f *os.File, device string, err error) {
	fd, device, err := open(name, unix.IFF_NO_PI)
	if err != nil {
		return nil, "", err
	}
	return os.NewFile(uintptr(fd), tunFile), device, nil
}

// open is Open with flags, for a descriptor that does not block.
func open(name string, flags uint16) (fd int, device string, err error) {
	if err := checkName(name); err != nil {
		return 0, "", err
	}
	fd, err = unix.Open(tunFile, unix.O_RDWR|unix.O_CLOEXEC, 0)
	if err != nil {
		return 0, "", explainOpen(err)
	}
	ifr, err := unix.NewIfreq(name)
	if err == nil {
		ifr.SetUint16(unix.IFF_TUN | flags)
		err = unix.IoctlIfreq(fd, unix.TUNSETIFF, ifr)
	}
	if err == nil {
		// Only now: Go's poller takes none that has no device yet.
		err = unix.SetNonblock(fd, true)
	}
	if err != nil {
		_ = unix.Close(fd)
		return 0, "", explainAttach(err, name)
	}
	return fd, ifr.Name(), nil
}

// explainOpen says what can be done about err, of opening tunFile.
func explainOpen(err error) error {
	switch {
	case errors.Is(err, unix.EACCES):
		// The root of a user namespace is the same user as before to a file of
		// the machine, whatever else it may do.
		return fmt.Errorf("this user may not open %s%s, and unshare -Urn does not change that: "+
			"run sock with sudo, or let everybody open it with sudo chmod 666 %[1]s", tunFile, modeOf(tunFile))
	case errors.Is(err, unix.EPERM):
		// The only one left is a device cgroup.
		return fmt.Errorf("this container may not open %s: start it with that device, as docker run --device %[1]s does", tunFile)
	case errors.Is(err, unix.ENOENT), errors.Is(err, unix.ENODEV), errors.Is(err, unix.ENXIO):
		return errors.New("this kernel has no TUN devices; try sudo modprobe tun")
	}
	return fmt.Errorf("%s: %w", tunFile, err)
}

// modeOf tells the mode of a file, as far as it is known.
func modeOf(file string) string {
	is, err := os.Stat(file)
	if err != nil {
		return ""
	}
	return fmt.Sprintf(" (mode %04o)", is.Mode().Perm())
}

// explainAttach says what can be done about err, of the device with that name.
func explainAttach(err error, name string) error {
	_, absent := net.InterfaceByName(name)
	switch {
	case errors.Is(err, unix.EPERM) && absent == nil:
		return fmt.Errorf("the device %s belongs to another user: run sock with sudo, or take another name", name)
	case errors.Is(err, unix.EPERM):
		return errors.New("to make a TUN device needs CAP_NET_ADMIN: run sock with sudo, or with unshare -Urn, " +
			"or allow it once with sudo setcap cap_net_admin+ep on the program")
	case errors.Is(err, unix.EBUSY):
		return fmt.Errorf("the device %s has somebody behind it already: end that process, or take another name", name)
	case errors.Is(err, unix.EINVAL) && absent == nil:
		return fmt.Errorf("%s is there, and is no TUN device of one queue: take a name that is free, "+
			"or that of a device made with ip tuntap add dev NAME mode tun", name)
	}
	return fmt.Errorf("the TUN device %s: %w", name, err)
}

// SetUp gives a device its MTU, in bytes, and its addresses, and turns it on. When
// it returns, the kernel takes packets for them.
func SetUp(device string, mtu int, addresses []netip.Prefix) error {
	is, err := net.InterfaceByName(device)
	if err != nil {
		return fmt.Errorf("%s: %w", device, err)
	}
	only4 := true
	for _, a := range addresses {
		only4 = only4 && a.Addr().Is4()
	}
	if only4 {
		// Or the kernel asks for routers. It is no harm if it does.
		_ = os.WriteFile("/proc/sys/net/ipv6/conf/"+device+"/disable_ipv6", []byte("1"), 0o644)
	}
	made, err := openRoutes()
	if err != nil {
		return fmt.Errorf("%s: %w", device, err)
	}
	defer made.close()
	for _, a := range addresses {
		if err := addAddress(is.Index, a); err != nil {
			return fmt.Errorf("%v on %s: %w", a, device, err)
		}
	}
	if err := turnOn(device, mtu); err != nil {
		return fmt.Errorf("%s: %w", device, err)
	}
	for _, a := range addresses {
		if a.Addr().Is4() {
			continue // that is in use at once
		}
		if err := made.await(a.Addr()); err != nil {
			return fmt.Errorf("%v on %s: %w", a, device, err)
		}
	}
	return nil
}

// turnOn sets the MTU of a device and has it up: netdevice(7).
func turnOn(device string, mtu int) error {
	fd, err := unix.Socket(unix.AF_INET, unix.SOCK_DGRAM|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		return err
	}
	defer unix.Close(fd)
	ifr, err := unix.NewIfreq(device)
	if err != nil {
		return err
	}
	ifr.SetUint32(uint32(mtu))
	if err := unix.IoctlIfreq(fd, unix.SIOCSIFMTU, ifr); err != nil {
		return fmt.Errorf("MTU %d: %w", mtu, err)
	}
	if err := unix.IoctlIfreq(fd, unix.SIOCGIFFLAGS, ifr); err != nil {
		return err
	}
	ifr.SetUint16(ifr.Uint16() | unix.IFF_UP)
	return unix.IoctlIfreq(fd, unix.SIOCSIFFLAGS, ifr)
}

// addAddress gives a device an address, of either family: rtnetlink(7).
func addAddress(device int, a netip.Prefix) error {
	fd, err := unix.Socket(unix.AF_NETLINK, unix.SOCK_RAW|unix.SOCK_CLOEXEC, unix.NETLINK_ROUTE)
	if err != nil {
		return err
	}
	defer unix.Close(fd)
	if err := unix.Sendto(fd, newAddress(device, a), 0, &unix.SockaddrNetlink{Family: unix.AF_NETLINK}); err != nil {
		return err
	}
	b := make([]byte, 4096)
	n, _, err := unix.Recvfrom(fd, b, 0)
	if err != nil {
		return err
	}
	// The answer is an error, of which 0 is none.
	const number = unix.SizeofNlMsghdr
	if n < number+4 || binary.NativeEndian.Uint16(b[4:]) != unix.NLMSG_ERROR {
		return unix.EPROTO
	}
	if e := int32(binary.NativeEndian.Uint32(b[number:])); e != 0 {
		return unix.Errno(-e)
	}
	return nil
}

// newAddress returns the message RTM_NEWADDR. An IPv6 address is used at once:
// who is behind the device sees to it that nobody else has it.
func newAddress(device int, a netip.Prefix) []byte {
	native := binary.NativeEndian
	family, address := byte(unix.AF_INET), a.Addr().AsSlice()
	flags := byte(0)
	if a.Addr().Is6() {
		family, flags = unix.AF_INET6, unix.IFA_F_NODAD
	}
	b := make([]byte, 4, 128) // of the whole length
	b = native.AppendUint16(b, unix.RTM_NEWADDR)
	b = native.AppendUint16(b, unix.NLM_F_REQUEST|unix.NLM_F_ACK|unix.NLM_F_CREATE|unix.NLM_F_EXCL)
	b = native.AppendUint32(b, 1) // of this message
	b = native.AppendUint32(b, 0) // to the kernel
	b = append(b, family, byte(a.Bits()), flags, unix.RT_SCOPE_UNIVERSE)
	b = native.AppendUint32(b, uint32(device))
	for _, kind := range []uint16{unix.IFA_LOCAL, unix.IFA_ADDRESS} {
		b = native.AppendUint16(b, uint16(unix.SizeofRtAttr+len(address)))
		b = native.AppendUint16(b, kind)
		b = append(b, address...)
	}
	native.PutUint32(b, uint32(len(b)))
	return b
}
