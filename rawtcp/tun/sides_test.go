package tun

import (
	"net/netip"
	"slices"
	"strings"
	"testing"
)

// parse returns the addresses in words, of which some have no length.
func parse(words string) (all []netip.Prefix) {
	for w := range strings.FieldsSeq(words) {
		p, err := netip.ParsePrefix(w)
		if err != nil {
			p = netip.PrefixFrom(netip.MustParseAddr(w), -1)
		}
		all = append(all, p)
	}
	return all
}

func TestKernelSide(t *testing.T) {
	for host, want := range map[string]string{
		"10.9.0.2/24":   "10.9.0.1/24",
		"10.9.0.1/24":   "10.9.0.2/24",
		"10.9.0.9/30":   "10.9.0.10/30",
		"10.9.0.8/31":   "10.9.0.9/31",
		"10.9.0.9/31":   "10.9.0.8/31",
		"fd00::2/64":    "fd00::1/64",
		"fd00::1/64":    "fd00::2/64",
		"10.9.0.0/24":   "10.9.0.0/24 is a network, not a host",
		"10.9.0.2/32":   "10.9.0.2/32 leaves no address for this machine: make the prefix shorter",
		"10.9.0.2":      "10.9.0.2 needs the length of its network's prefix, such as 10.9.0.2/24: the device is new and has no network yet",
		"255.255.0.1/8": "255.0.0.1/8",
	} {
		p, err := kernelSide(parse(host)[0])
		got := p.String()
		if err != nil {
			got = err.Error()
		}
		if got != want {
			t.Errorf("%s: %s, want %s", host, got, want)
		}
	}
}

func TestInNetworks(t *testing.T) {
	kernel := parse("10.9.0.1/20 fd00::1/64")
	for host, want := range map[string]string{
		"10.9.0.2 fd00::2": "10.9.0.2/20 fd00::2/64",
		"10.9.0.2/24":      "10.9.0.2/24",
		"10.8.0.2/24":      "10.8.0.2/24",
	} {
		if got, err := inNetworks(parse(host), "tun0", kernel); err != nil || !slices.Equal(got, parse(want)) {
			t.Errorf("%s: %v, %v, want %s", host, got, err, want)
		}
	}
	for host, want := range map[string]string{
		"10.9.0.1": "10.9.0.1 is this machine's own address on tun0: take another --addr",
		"10.8.0.2": "10.8.0.2 needs the length of its network's prefix: tun0 has no network with it",
	} {
		if got, err := inNetworks(parse(host), "tun0", kernel); err == nil || err.Error() != want {
			t.Errorf("%s: %v, %v, want %s", host, got, err, want)
		}
	}
}
