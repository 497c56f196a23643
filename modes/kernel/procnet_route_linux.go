package kernel

import (
	"encoding/binary"
	"math/bits"
	"net/netip"
	"strconv"
	"strings"
)

// nextHop is where the main routing table sends a datagram to an IPv4 address
// first: to the gateway, or to the address itself.
func (m machine) nextHop(to netip.Addr) netip.Addr {
	return readRoutes(m.setting("net/route"), to, binary.NativeEndian)
}

// readRoutes finds the longest prefix in /proc/net/route: "Iface Destination
// Gateway Flags RefCnt Use Metric Mask ...", each address a word in the order
// of the machine.
func readRoutes(table string, to netip.Addr, order binary.AppendByteOrder) netip.Addr {
	const up, gateway = 0x1, 0x2 // RTF_UP, RTF_GATEWAY
	next, longest := to, -1
	for line := range strings.Lines(table) {
		c := strings.Fields(line)
		if len(c) < 8 {
			continue
		}
		dst, ok := readAddr(c[1], order)
		via, ok2 := readAddr(c[2], order)
		mask, err := strconv.ParseUint(c[7], 16, 32)
		flags, err2 := strconv.ParseUint(c[3], 16, 16)
		if !ok || !ok2 || err != nil || err2 != nil || flags&up == 0 {
			continue
		}
		n := bits.OnesCount64(mask)
		if n <= longest || !netip.PrefixFrom(dst, n).Contains(to) {
			continue
		}
		next, longest = to, n
		if flags&gateway != 0 {
			next = via
		}
	}
	return next
}
