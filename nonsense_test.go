//go:build linux

package main

import (
	"context"
	"flag"
	"math/rand/v2"
	"net/netip"
	"testing"
	"time"

	"sock/rawtcp"
	"sock/rawtcp/loop"
	"sock/rawtcp/profile"
)

var (
	nonsenseFor  = flag.Duration("nonsense", 3*time.Second, "how long TestNonsense sends nonsense")
	nonsenseSeed = flag.Uint64("nonsense.seed", 0, "its seed; 0 is any")
)

// A second victim, which closes first.
var (
	closer     = netip.MustParseAddrPort("10.0.0.4:7")
	victimIPv6 = netip.MustParseAddr("fd00::1")
)

// A good client is served, whatever others put on the wire; and memory and
// goroutines stay few. The second victim is any of the systems: what it should
// not believe, it may believe, as that system does.
func TestNonsense(t *testing.T) {
	const (
		memory  = 100 // MiB
		longest = 20 * time.Second
	)
	seed := *nonsenseSeed
	if seed == 0 {
		seed = rand.Uint64()
	}
	names := profile.Names()
	system := names[seed%uint64(len(names))]
	t.Logf("-nonsense.seed=%d, which makes the second victim %s", seed, system)
	n := newNetwork(t, buildSock(t))
	server := n.launch(t, []string{"listening", opened, closed}, "-s", "-F", "--echo", "-q", "128", "--addr", "10.0.0.1/8,"+victimIPv6.String()+"/64", "7")
	server.await(t, 1, "listening")
	states := []string{
		"-> SYN_RCVD", "-> ESTABLISHED", "-> CLOSE_WAIT", "-> LAST_ACK",
		"-> FIN_WAIT_1", "-> FIN_WAIT_2", "-> CLOSING", "-> TIME_WAIT",
	}
	second := n.launch(t, append([]string{"listening"}, states...), "-s", "-F", "--echo", "-x5ms", "-q", "128", "--addr", "10.0.0.4/8",
		"--set", "syn-cookies=yes", "--set", "msl=1s", "--profile", system, "--trace", "7")
	second.await(t, 1, "listening")

	good := newGoodClient(t, n, "10.0.0.2/8")
	if err := good.once(); err != nil {
		t.Fatal(err)
	}
	l := &liar{
		chance: rand.New(rand.NewPCG(seed, 0)), victims: []netip.AddrPort{echo, echo, closer},
		known: map[[2]netip.AddrPort]expectation{},
		good:  func() (client, server netip.AddrPort) { return good.open.Load().(netip.AddrPort), echo },
	}
	e := newEnemy(t, n, l.told)
	stop, served, dialed := make(chan struct{}), make(chan error, 1), make(chan struct{})
	go func() { served <- good.run(stop) }()
	go func() {
		defer close(dialed)
		victimClient(t, n, stop)
	}()
	count := 0
	for end := time.Now().Add(*nonsenseFor); time.Now().Before(end) && !t.Failed(); {
		for range 200 {
			e.send(l.packet())
			count++
		}
		e.wait(t)
	}
	close(stop)
	if err := <-served; err != nil {
		t.Errorf("the good client, after it was served %d times: %v", good.served, err)
	}
	<-dialed
	t.Logf("%d packets of nonsense; the good client was served %d times, the longest took %v; servers: %v, %v; hub: %v",
		count, good.served, good.longest, server.footprint(t), second.footprint(t), n.hub.footprint(t))
	if good.longest > longest || good.served < 10 {
		t.Error("the good client was not served well")
	}
	for _, p := range []*process{server, second, n.hub} {
		p.footprint(t).within(t, memory, crowdThreads)
	}
	second.mu.Lock()
	for _, s := range states {
		if second.counts[s] == 0 {
			t.Errorf("no connection: %s", s)
		}
	}
	t.Log(second.counts)
	second.mu.Unlock()
	for _, p := range []*process{server, second} {
		if n := p.goroutines(t); n > liarPorts+40 {
			t.Errorf("%d goroutines are left", n)
		}
	}
}

// victimClient connects to the liar, again and again, and speaks to it.
func victimClient(t *testing.T, n *network, stop <-chan struct{}) {
	l := loop.New(n.plug(t, "10.0.0.5/8"), loop.Options{Options: rawtcp.Options{Host: "client", Seed: 3}})
	defer l.Close()
	for port := uint16(firstLiarPort); ; port++ {
		select {
		case <-stop:
			return
		default:
		}
		ctx, cancel := context.WithTimeout(context.Background(), 100*time.Millisecond)
		c, err := l.Dial(ctx, netip.AddrPortFrom(probing.Addr(), firstLiarPort+port%liarPorts))
		if err == nil {
			_ = exchange(c, time.Now().Add(100*time.Millisecond), 0) // with a liar
			_ = c.Close()
		}
		cancel()
	}
}
