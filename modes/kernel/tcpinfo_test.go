//go:build linux

package kernel

import (
	"io"
	"os/exec"
	"regexp"
	"strconv"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"sock/modes"
)

// figures are the list as a map.
func figures(t *testing.T, s *socket) map[string]any {
	t.Helper()
	list, err := s.Info()
	check(t, err)
	m := map[string]any{}
	for _, f := range list {
		switch f.Value.(type) {
		case string, int64, time.Duration:
		default:
			t.Errorf("%s is a %T", f.Name, f.Value)
		}
		if _, ok := m[f.Name]; ok {
			t.Errorf("%s is there twice", f.Name)
		}
		m[f.Name] = f.Value
	}
	return m
}

func TestInfo(t *testing.T) {
	client, server := pair(t, newHost(t), modes.IPv4)
	const size = 10000
	_, err := client.Write(make([]byte, size))
	check(t, err)
	for n, buf := 0, make([]byte, size); n < size; {
		m, err := server.Read(buf)
		check(t, err)
		n += m
	}
	got := figures(t, server)
	if got["state"] != "ESTABLISHED" || got["bytes_received"] != int64(size) || got["ca_state"] != "open" {
		t.Errorf("the server has %v", got)
	}
	got = figures(t, client)
	if got["bytes_sent"] != int64(size) || got["rtt"].(time.Duration) <= 0 || got["snd_cwnd"].(int64) <= 0 {
		t.Errorf("the client has %v", got)
	}

	check(t, client.CloseWrite())
	_, err = server.Read(make([]byte, 1))
	wantErr(t, "Read", err, io.EOF)
	if got := figures(t, server)["state"]; got != "CLOSE_WAIT" {
		t.Errorf("after the FIN the server is in %v", got)
	}
	if got := figures(t, newSock(t, newHost(t), modes.IPv4, modes.Stream))["state"]; got != "CLOSED" {
		t.Errorf("a new socket is in %v", got)
	}
	ln, _ := listener(t, newHost(t), modes.IPv4, 1)
	if got := figures(t, ln)["state"]; got != "LISTEN" {
		t.Errorf("a listening socket is in %v", got)
	}
	_, err = newSock(t, newHost(t), modes.IPv4, modes.Datagram).Info()
	wantErr(t, "Info of a UDP socket", err, unix.EOPNOTSUPP)
}

// ss(8) reads the same through netlink.
func TestInfoAgreesWithSS(t *testing.T) {
	ss, err := exec.LookPath("ss")
	if err != nil {
		t.Skip("no ss(8) here: apt-get install iproute2")
	}
	h := newHost(t)
	ln := newSock(t, h, modes.IPv4, modes.Stream)
	check(t, ln.Set(modes.RecvBuf, 1<<20)) // the two ends' scales differ
	check(t, ln.Bind(loopback(modes.IPv4)))
	check(t, ln.Listen(1))
	at, err := ln.Local()
	check(t, err)
	client := newSock(t, h, modes.IPv4, modes.Stream)
	check(t, client.Set(modes.RecvBuf, 6000))
	check(t, client.Connect(at, 0))

	out, err := exec.Command(ss, "-Htni", "dport", "=", ":"+strconv.Itoa(int(at.Port()))).CombinedOutput()
	check(t, err)
	got := figures(t, client)
	for _, x := range []struct{ re, figure string }{
		{` (wscale:\d+,\d+) `, "options"},
		{` mss:(\d+) `, "snd_mss"},
		{` pmtu:(\d+) `, "pmtu"},
		{` cwnd:(\d+) `, "snd_cwnd"},
		{` advmss:(\d+) `, "advmss"},
		{` rto:(\d+) `, "rto"},
	} {
		m := regexp.MustCompile(x.re).FindSubmatch(out)
		if m == nil {
			t.Fatalf("ss does not say %s: %s", x.re, out)
		}
		want, have := string(m[1]), ""
		switch v := got[x.figure].(type) {
		case string:
			have = string(regexp.MustCompile(`wscale:\S+`).Find([]byte(v)))
		case int64:
			have = strconv.FormatInt(v, 10)
		case time.Duration:
			have = strconv.FormatInt(v.Milliseconds(), 10)
		}
		if have != want {
			t.Errorf("%s is %s, ss has %s", x.figure, have, want)
		}
	}
}
