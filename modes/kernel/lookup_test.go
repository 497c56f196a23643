//go:build linux

package kernel

import (
	"testing"

	"sock/modes"
)

func TestLookupHost(t *testing.T) {
	h := newHost(t)
	for _, x := range []struct {
		name string
		f    modes.Family
		want string // an address, or an error
	}{
		{"140.252.13.33", modes.IPv4, "140.252.13.33"},
		{"127.1", modes.IPv4, "127.0.0.1"},
		{"10.1.258", modes.IPv4, "10.1.1.2"},
		{"0x7f.1", modes.IPv4, "127.0.0.1"},
		{"0X7F000001", modes.IPv4, "127.0.0.1"},
		{"0177.0.0.010", modes.IPv4, "127.0.0.8"},
		{"4294967295", modes.IPv4, "255.255.255.255"},
		{"0", modes.IPv4, "0.0.0.0"},
		{"127.0.0.1", modes.IPv6, "an IPv4 address, and -6 was given"},
		{"::1", modes.IPv6, "::1"},
		{"fe80::1%lo", modes.IPv6, "fe80::1%lo"},
		{"::1", modes.IPv4, "an IPv6 address, which needs -6"},
		{"::ffff:127.0.0.1", modes.IPv6, "an IPv4 address, and -6 was given"},
		{"localhost", modes.IPv4, "127.0.0.1"},
		{"LocalHost.", modes.IPv6, "::1"},
		{"sun.localhost", modes.IPv4, "127.0.0.1"},
	} {
		a, err := h.LookupHost(x.name, x.f)
		got := a.String()
		if err != nil {
			got = err.Error()
		}
		if got != x.want {
			t.Errorf("LookupHost(%q, %d) gave %s, want %s", x.name, x.f, got, x.want)
		}
	}
	for _, name := range []string{"", "256.1.1.1", "1.2.3.4.5", "1..2", "0x", "08.1.1.1", "1.2.3.0x1ff", "-1", "no such host"} {
		if a, err := h.LookupHost(name, modes.IPv4); err == nil {
			t.Errorf("LookupHost(%q) gave %v", name, a)
		}
	}
}

func TestLookupService(t *testing.T) {
	h := newHost(t)
	for _, x := range []struct {
		name string
		t    modes.Type
		want uint16 // 0 for none
	}{
		{"echo", modes.Stream, 7},
		{"echo", modes.Datagram, 7},
		{"discard", modes.Stream, 9},
		{"Daytime", modes.Stream, 13},
		{"chargen", modes.Datagram, 19},
		{"time", modes.Stream, 37},
		{"telnet", modes.Stream, 23},
		{"tftp", modes.Datagram, 69},
		{"tftp", modes.Stream, 0},
		{"http", modes.Stream, 80},
		{"no-such-service", modes.Stream, 0},
		{"", modes.Stream, 0},
		{"70000", modes.Stream, 0},
		{"-1", modes.Stream, 0},
		{"+80", modes.Stream, 0},
	} {
		got, err := h.LookupService(x.name, x.t)
		if got != x.want || (err == nil) != (x.want != 0) {
			t.Errorf("LookupService(%q, %s) gave %d, %v, want %d", x.name, x.t.Network(), got, err, x.want)
		}
	}
}
