package onkernel

import (
	"encoding/binary"
	"net"
	"net/netip"
	"strconv"
	"strings"

	"sock/rawtcp/link"
	"sock/rawtcp/wire"
)

// Row is a socket in one of the kernel's tables.
type Row struct {
	Local, Remote netip.AddrPort
	State         string // of TCP, "TIME_WAIT"
	RecvQ, SendQ  int    // bytes
	Inode         uint64 // 0 if no process has it any more
}

// readTable reads /proc/net/tcp, tcp6, udp or udp6, whose lines are
//
//	sl local_address rem_address st tx_queue:rx_queue tr:tm->when retrnsmt uid timeout inode ...
//
// (proc_net_tcp.rst in the kernel's Documentation/networking). A line that is
// not understood is left out: the first one has the headings.
func readTable(text string) (rows []Row) {
	for line := range strings.Lines(text) {
		f := strings.Fields(line)
		if len(f) < 10 {
			continue
		}
		local, ok1 := readEnd(f[1])
		remote, ok2 := readEnd(f[2])
		state, err := strconv.ParseUint(f[3], 16, 8)
		if !ok1 || !ok2 || err != nil {
			continue
		}
		r := Row{Local: local, Remote: remote, State: stateName(state)}
		tx, rx, _ := strings.Cut(f[4], ":")
		r.SendQ, r.RecvQ = int(hex(tx)), int(hex(rx))
		r.Inode, _ = strconv.ParseUint(f[9], 10, 64)
		rows = append(rows, r)
	}
	return rows
}

// readEnd reads "0100007F:1A0A": words of 32 bits in the order of the machine.
func readEnd(s string) (netip.AddrPort, bool) {
	words, port, ok := strings.Cut(s, ":")
	var b []byte
	for ; len(words) >= 8; words = words[8:] {
		b = binary.NativeEndian.AppendUint32(b, uint32(hex(words[:8])))
	}
	a, isAddr := netip.AddrFromSlice(b)
	return netip.AddrPortFrom(a.Unmap(), uint16(hex(port))), ok && isAddr
}

func hex(s string) uint64 {
	n, err := strconv.ParseUint(s, 16, 64)
	if err != nil {
		return 0
	}
	return n
}

// stateName names the kernel's numbers (include/net/tcp_states.h).
func stateName(n uint64) string {
	names := []string{
		1: established, synSent, synReceived, finWait1, finWait2, timeWait,
		closed, closeWait, lastAck, listen, closing, synReceived,
	}
	if n >= uint64(len(names)) {
		return ""
	}
	return names[n]
}

// readARP reads /proc/net/arp, whose lines are
//
//	IP address       HW type     Flags       HW address            Mask     Device
//
// (proc_pid_net(5)).
func readARP(text string) (all []link.ARPEntry) {
	const complete, permanent = 2, 4 // ATF_COM, ATF_PERM
	for line := range strings.Lines(text) {
		f := strings.Fields(line)
		if len(f) < 6 {
			continue
		}
		ip, err := netip.ParseAddr(f[0])
		flags := hex(strings.TrimPrefix(f[2], "0x"))
		mac, macErr := net.ParseMAC(f[3])
		if err != nil || macErr != nil || len(mac) != len(wire.MAC{}) {
			continue
		}
		all = append(all, link.ARPEntry{
			IP: ip, MAC: wire.MAC(mac), Complete: flags&complete != 0, Permanent: flags&permanent != 0,
		})
	}
	return all
}
