package hub

import (
	"net/netip"
	"testing"
	"time"

	"sock/rawtcp/link"
)

// "auto" is the next address that is free.
func TestAuto(t *testing.T) {
	b := newBench(t, Options{Prefix: netip.MustParsePrefix("192.0.2.0/29")})
	b.plug("192.0.2.2")
	for _, want := range []string{"192.0.2.1/29", "192.0.2.3/29", "192.0.2.4/29", "192.0.2.5/29"} {
		if got := b.plug("auto").port.addresses[0]; got.String() != want {
			t.Errorf("%v is next, not %s", got, want)
		}
	}
	last := b.plug("fd00::1", "auto") // 192.0.2.6; .7 is all hosts
	_, err := b.join(0, []string{"auto"}, "late", &inbox{})
	if err == nil || err.Error() != "all addresses of 192.0.2.0/29 are taken" {
		t.Errorf("%v", err)
	}
	b.leave(0, last.port, nil)
	if got := b.plug("auto", "fd00::2/48").port.addresses; addresses(got) != "192.0.2.6/29 fd00::2/48" {
		t.Errorf("%v, and not what has become free", got)
	}
}

func TestAutoIPv6(t *testing.T) {
	b := newBench(t, Options{Prefix: netip.MustParsePrefix("fd00:1::/64")})
	b.plug("auto")
	if got := b.plug("auto").port.name; got != "fd00:1::2" {
		t.Errorf("%s", got)
	}
}

// Who cannot join hears why, in a sentence.
func TestRefused(t *testing.T) {
	b := newBench(t, Options{Plugs: 2})
	b.plug("10.0.0.1", "fd00::1")
	for wanted, want := range map[string]string{
		"10.0.0.1":             "10.0.0.1 is taken by a test",
		"fd00::1/64":           "fd00::1 is taken by a test",
		"::ffff:10.0.0.1":      "10.0.0.1 is taken by a test",
		"10.0.0.0":             "10.0.0.0/24 is the address of a network, not of a host",
		"10.0.0.255":           "10.0.0.255 cannot be the address of a host",
		"255.255.255.255":      "255.255.255.255 cannot be the address of a host",
		"0.0.0.0":              "0.0.0.0 cannot be the address of a host",
		"127.0.0.1":            "127.0.0.1 cannot be the address of a host",
		"224.0.0.5":            "224.0.0.5 cannot be the address of a host",
		"ff02::1":              "ff02::1 cannot be the address of a host",
		"fe80::1%eth0":         "fe80::1%eth0 has a zone, of which the wire knows nothing",
		"fd00::/64":            "fd00::/64 is the address of a network, not of a host",
		"svr4":                 `"svr4" is no IP address`,
		"10.0.0.2/33":          `"10.0.0.2/33" is no IP address`,
		"::ffff:10.0.0.2/100":  "::ffff:10.0.0.2 cannot be the address of a host",
		"10.0.0.2/24,10.0.0.3": `"10.0.0.2/24,10.0.0.3" is no IP address`,
	} {
		_, err := b.join(0, []string{wanted}, "another", &inbox{})
		if err == nil || err.Error() != want {
			t.Errorf("%s: %v, not %s", wanted, err, want)
		}
	}
	if _, err := b.join(0, []string{"10.0.0.2", "10.0.0.2"}, "", &inbox{}); err == nil || err.Error() != "10.0.0.2 is asked for twice" {
		t.Errorf("%v", err)
	}
	b.plug("10.0.0.2") // after all this it is still free
	if _, err := b.join(0, []string{"10.0.0.3"}, "", &inbox{}); err == nil || err.Error() != "there are 2 on the wire, and no room for more" {
		t.Errorf("%v", err)
	}
}

// Addresses that come and go do not add up.
func TestEndsAreForgotten(t *testing.T) {
	b := newBench(t, Options{Prefix: netip.MustParsePrefix("10.0.0.0/8"), Conditions: link.Conditions{Delay: time.Second}})
	a := netip.MustParseAddr("10.1.0.0")
	visit := func() error {
		a = a.Next()
		i := &inbox{bench: b}
		p, err := b.join(b.at, []string{a.String()}, "", i)
		if err == nil {
			b.leave(b.at, p, nil)
		}
		return err
	}
	for range 3 * b.maxEnds() {
		must(t, visit())
	}
	if len(b.ends) > 10 {
		t.Errorf("%d ends, though nothing was ever under way", len(b.ends))
	}
	one := b.plug("10.0.0.1")
	one.say("10.0.0.2", "hello")
	for range 3 * b.maxEnds() {
		_ = visit()
	}
	if len(b.ends) > b.maxEnds() {
		t.Errorf("%d ends", len(b.ends))
	}
	if visit() == nil {
		t.Error("there is room for one more address")
	}
	b.until(time.Minute)
	must(t, visit())
}
