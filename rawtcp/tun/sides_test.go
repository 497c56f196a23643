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
		"10.9.0.0/24":   "--addr 10.9.0.0/24 is a network, not a host: take 10.9.0.2",
		"10.9.0.2/32":   "--addr 10.9.0.2/32 leaves no address for this machine: make the prefix shorter",
		"10.9.0.2":      "--addr 10.9.0.2 needs the length of its network's prefix, such as 10.9.0.2/24: the device is new and has no network yet",
		"fd00::2":       "--addr fd00::2 needs the length of its network's prefix, such as fd00::2/64: the device is new and has no network yet",
		"10.9.0.255/24": "--addr 10.9.0.255/24 is all hosts of its network, not one: take 10.9.0.2",
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
		"10.9.0.1": "--addr 10.9.0.1 is this machine's own address on tun0: take another",
		"10.8.0.2": "--addr 10.8.0.2 is in no network of tun0: take one of [10.9.0.1/20 fd00::1/64], or give the length of its own, such as 10.8.0.2/24",
	} {
		if got, err := inNetworks(parse(host), "tun0", kernel); err == nil || err.Error() != want {
			t.Errorf("%s: %v, %v, want %s", host, got, err, want)
		}
	}
}

func TestNames(t *testing.T) {
	for name, want := range map[string]string{
		"":                 "",
		"tun%d":            "",
		"abcdefghijklmno":  "",
		"abcdefghijklmnop": `"abcdefghijklmnop" is no name for a TUN device: it has 16 characters, and 15 are the most`,
		"..":               `".." is no name for a TUN device: it goes without spaces, slashes and colons, as tun0`,
		"eth0:1":           `"eth0:1" is no name for a TUN device: it goes without spaces, slashes and colons, as tun0`,
	} {
		got := ""
		if err := checkName(name); err != nil {
			got = err.Error()
		}
		if got != want {
			t.Errorf("%q: %s, want %s", name, got, want)
		}
	}
}
