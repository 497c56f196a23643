//go:build linux

package main

import (
	"context"
	"encoding/binary"
	"errors"
	"net/netip"
	"strconv"
	"sync/atomic"
	"testing"
	"time"

	"sock/rawtcp"
	"sock/rawtcp/hub"
	"sock/rawtcp/loop"
	"sock/rawtcp/profile"
	"sock/rawtcp/trace"
	"sock/rawtcp/wire"
)

// enemy is a host without a TCP: the test makes its packets by hand.
type enemy struct {
	plug  *hub.Plug
	probe []byte // a SYN for a port of the victim where nobody listens
	back  chan struct{}
	// told is called with all segments that come but the answers to probes.
	told func(answer)
}

// answer is a segment that has come for the enemy.
type answer struct {
	from, to netip.AddrPort
	wire.Segment
}

var (
	// The ends of the probes.
	probing, silent = netip.MustParseAddrPort("10.0.0.66:9"), netip.MustParseAddrPort("10.0.0.1:9")
	// Another address of the enemy, among those of a flood.
	among = netip.MustParseAddr("10.1.2.3")
)

func newEnemy(t *testing.T, n *network, told func(answer)) *enemy {
	t.Helper()
	e := &enemy{plug: n.plug(t, probing.Addr().String()+"/8,"+among.String()+"/8"), back: make(chan struct{}, 1), told: told}
	t.Cleanup(func() { _ = e.plug.Close() })
	e.probe = packetOf(probing, silent, &wire.Segment{Flags: wire.SYN})
	e.plug.Start(e.receive)
	return e
}

// packetOf returns an IPv4 packet with a segment.
func packetOf(src, dst netip.AddrPort, seg *wire.Segment) []byte {
	seg.SrcPort, seg.DstPort = src.Port(), dst.Port()
	h := wire.IPv4{TTL: 64, Protocol: wire.ProtoTCP, Src: src.Addr(), Dst: dst.Addr()}
	return seg.AppendTo(h.AppendHeader(nil, seg.WireLen()), src.Addr(), dst.Addr(), wire.ChecksumFull)
}

func (e *enemy) receive(packets [][]byte) {
	for _, p := range packets {
		var h wire.IPv4
		var seg wire.Segment
		if h.Decode(p) != wire.OK || h.Protocol != wire.ProtoTCP || seg.Decode(h.Payload) != wire.OK {
			continue
		}
		src, dst := netip.AddrPortFrom(h.Src, seg.SrcPort), netip.AddrPortFrom(h.Dst, seg.DstPort)
		if dst == probing {
			select {
			case e.back <- struct{}{}:
			default: // one that came late
			}
		} else {
			e.told(answer{src, dst, seg})
		}
	}
}

// send puts a packet on the wire, sooner or later.
func (e *enemy) send(packet []byte) { _ = e.plug.Send(0, packet, trace.Rule{}) }

// wait waits until the victim has dealt with all that was sent: it refuses the
// probe. A probe may get lost where the good ones are served first.
func (e *enemy) wait(t *testing.T) {
	late := time.NewTimer(patience)
	defer late.Stop()
	again := time.NewTicker(time.Second)
	defer again.Stop()
	for {
		e.send(e.probe)
		e.plug.Flush()
		select {
		case <-e.back:
			return
		case <-again.C:
		case <-late.C:
			t.Error("the victim does not answer any more")
			return
		}
	}
}

// goodClient connects to the echo server again and again, until stop is closed.
type goodClient struct {
	loop    *loop.Loop
	served  int
	longest time.Duration
	open    atomic.Value // the netip.AddrPort of its connection
}

func newGoodClient(t *testing.T, n *network, address string) *goodClient {
	p, err := profile.Get("linux")
	if err == nil {
		err = profile.Set(p, "msl=10ms") // or it would run out of ports
	}
	if err != nil {
		t.Fatal(err)
	}
	l := loop.New(n.plug(t, address), loop.Options{Options: rawtcp.Options{Host: "good", Profile: p, Seed: 2}})
	t.Cleanup(func() { _ = l.Close() })
	return &goodClient{loop: l}
}

func (g *goodClient) run(stop <-chan struct{}) error {
	for {
		select {
		case <-stop:
			return nil
		default:
		}
		began := time.Now()
		if err := g.once(); err != nil {
			return err
		}
		g.served++
		g.longest = max(g.longest, time.Since(began))
	}
}

func (g *goodClient) once() (err error) {
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	c, err := g.loop.Dial(ctx, echo)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, c.Close()) }()
	g.open.Store(netip.MustParseAddrPort(c.LocalAddr().String()))
	return exchange(c, time.Now().Add(patience), g.served)
}

// floods sends n SYNs of as many clients that are not there, and never comes back
// to one of them.
func (e *enemy) flood(t *testing.T, n int) {
	packet := packetOf(netip.MustParseAddrPort("10.1.0.0:0"), echo, &wire.Segment{
		Flags: wire.SYN, Window: 65535, Options: wire.Options{HasMSS: true, MSS: 1460},
	})
	// What changes is made up for, so that the checksums stay as they are:
	// the address in the identification and the sequence number, the port in
	// the sequence number.
	id, address, port, high, low := packet[4:], packet[14:], packet[20:], packet[24:], packet[26:]
	for i := range n {
		a, p := uint16(i), uint16(1024+i>>16)
		binary.BigEndian.PutUint16(address, a)
		binary.BigEndian.PutUint16(id, ^a)
		binary.BigEndian.PutUint16(port, p)
		binary.BigEndian.PutUint16(high, ^a)
		binary.BigEndian.PutUint16(low, ^p)
		e.send(packet)
		if i%window == window-1 {
			e.wait(t)
		}
	}
	e.wait(t)
}

// window is how many packets the enemy sends before it waits for the victim. More
// would get lost on the wire, and do no harm.
const window = 2000

// A million SYNs, of a million clients that are not there, do not keep a good
// client from being served, nor do they take memory; and they are forgotten.
func TestSYNFlood(t *testing.T) {
	const (
		size    = 1_000_000
		backlog = 128
		memory  = 40 // MiB
		longest = 10 * time.Second
	)
	n := newNetwork(t, buildSock(t))
	server := n.launch(t, []string{"listening", opened, closed}, "-s", "-F", "--echo", "-q", strconv.Itoa(backlog),
		"--addr", "10.0.0.1/8", "--set", "synack-retries=1", "--set", "synack-timeouts=100ms", "7")
	server.await(t, 1, "listening")
	good := newGoodClient(t, n, "10.0.0.2/8")
	if err := good.once(); err != nil {
		t.Fatal(err)
	}
	before := server.footprint(t)

	stop, served := make(chan struct{}), make(chan error, 1)
	go func() { served <- good.run(stop) }()
	answers := make(chan answer, 4*backlog)
	e := newEnemy(t, n, func(a answer) {
		select {
		case answers <- a:
		default: // the test has failed, or will
		}
	})
	began := time.Now()
	e.flood(t, size)
	took := time.Since(began)
	close(stop)
	if err := <-served; err != nil {
		t.Errorf("the good client, after it was served %d times: %v", good.served, err)
	}
	t.Logf("%d SYNs in %v; the good client was served %d times, the longest took %v; the server: %v, then %v; the hub: %v",
		size, took, good.served, good.longest, before, server.footprint(t), n.hub.footprint(t))
	if lost := e.plug.Lost(); lost > 0 {
		t.Errorf("of the flood %d were never sent", lost)
	}
	server.footprint(t).within(t, memory, crowdThreads)
	n.hub.footprint(t).within(t, memory, crowdThreads)
	if good.longest > longest || good.served < 20 {
		t.Error("the good client was not served well")
	}

	// Those of the million that are the enemy's own have been answered.
	ports := map[uint16]bool{}
	for len(answers) > 0 {
		if a := <-answers; a.to.Addr() == among && a.Flags == wire.SYN|wire.ACK {
			ports[a.to.Port()] = true
		}
	}
	if len(ports) != size>>16 && len(ports) != size>>16+1 {
		t.Errorf("of %d SYNs of one host %d have been answered", size>>16, len(ports))
	}
	e.wantRoom(t, answers, backlog)
}

// wantRoom fails the test if the queue of the server does not become empty: it has
// room for so many handshakes, and answers one more by a cookie, which has no
// options.
func (e *enemy) wantRoom(t *testing.T, answers <-chan answer, room int) {
	t.Helper()
	again, late := time.NewTicker(100*time.Millisecond), time.NewTimer(patience)
	defer again.Stop()
	defer late.Stop()
	var whole, cookies int
	for port := uint16(1024); ; {
		whole, cookies = 0, 0
		first := port
		for range room + 1 {
			e.send(packetOf(netip.AddrPortFrom(among, port), echo, &wire.Segment{
				Flags: wire.SYN, Options: wire.Options{HasMSS: true, MSS: 1460, SACKPermitted: true},
			}))
			port++
		}
		e.wait(t)
		for len(answers) > 0 {
			switch a := <-answers; {
			case a.to.Port() < first || a.Flags != wire.SYN|wire.ACK:
			case a.Options.SACKPermitted:
				whole++
				e.send(packetOf(a.to, a.from, &wire.Segment{Flags: wire.RST, Seq: a.Ack}))
			default:
				cookies++
			}
		}
		if whole == room && cookies == 1 {
			return
		}
		select {
		case <-again.C:
		case <-late.C:
			t.Fatalf("of %d handshakes %d found room, %d were answered by a cookie", room+1, whole, cookies)
		}
	}
}
