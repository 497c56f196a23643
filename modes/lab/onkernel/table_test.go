package onkernel

import (
	"encoding/binary"
	"fmt"
	"net/netip"
	"strings"
	"testing"
)

// words is an address as the kernel of this machine prints it.
func words(a netip.Addr) (s string) {
	for b := a.AsSlice(); len(b) > 0; b = b[4:] {
		s += fmt.Sprintf("%08X", binary.NativeEndian.Uint32(b))
	}
	return s
}

func TestReadTable(t *testing.T) {
	text := "  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode\n" +
		"   0: " + words(netip.IPv4Unspecified()) + ":22B8 " + words(netip.IPv4Unspecified()) + ":0000 0A 00000000:00000000 00:00000000 00000000     0        0 4711 1 0000000000000000 100 0 0 10 0\n" +
		"   1: " + words(netip.MustParseAddr("140.252.13.34")) + ":22B8 " + words(netip.MustParseAddr("140.252.13.35")) + ":044B 01 00000005:0000000D 01:00000014 00000000     0        0 4712 1\n" +
		"   2: " + words(netip.IPv6Unspecified()) + ":0007 " + words(netip.MustParseAddr("fd00::1")) + ":0401 06 00000000:00000000 03:00001763 00000000     0        0 0 3\n" +
		"   3: nonsense\n"
	var got []string
	for _, r := range readTable(text) {
		got = append(got, fmt.Sprintf("%s %s %s %d/%d %d", r.Local, r.Remote, r.State, r.RecvQ, r.SendQ, r.Inode))
	}
	want := "0.0.0.0:8888 0.0.0.0:0 LISTEN 0/0 4711\n" +
		"140.252.13.34:8888 140.252.13.35:1099 ESTABLISHED 13/5 4712\n" +
		"[::]:7 [fd00::1]:1025 TIME_WAIT 0/0 0"
	if s := strings.Join(got, "\n"); s != want {
		t.Errorf("%s\nwant\n%s", s, want)
	}
}

func TestReadARP(t *testing.T) {
	const text = `IP address       HW type     Flags       HW address            Mask     Device
140.252.13.35    0x1         0x2         02:00:00:00:00:01     *        eth0
140.252.13.36    0x1         0x6         02:00:00:00:00:02     *        eth0
140.252.13.37    0x1         0x0         00:00:00:00:00:00     *        eth0
`
	var got []string
	for _, e := range readARP(text) {
		got = append(got, fmt.Sprint(e.IP, " ", e.MAC, " ", e.Complete, " ", e.Permanent))
	}
	want := "140.252.13.35 2:0:0:0:0:1 true false\n140.252.13.36 2:0:0:0:0:2 true true\n140.252.13.37 0:0:0:0:0:0 false false"
	if s := strings.Join(got, "\n"); s != want {
		t.Errorf("%s\nwant\n%s", s, want)
	}
}
