package tcb_test

import (
	"fmt"
	"os"
	"testing"
	"errors"
)

func TestDebug(t *testing.T) {
	var seed uint64; var a, b, link string
	if _, err := fmt.Sscan(os.Getenv("PAIR"), &seed, &a, &b, &link); err != nil { t.Skip() }
	for _, l := range links {
		if l.name != link { continue }
		n, err := newNetwork(seed, l.bad, [2]string{a, b})
		if err != nil { t.Fatal(err) }
		lines := 0
		n.tracef = func(f string, x ...any) { lines++; if lines < 300 { fmt.Printf(f+"\n", x...) } }
		for i, h := range n.host { in := h.c.Info(); fmt.Println(i, "snd", in.SendBuffer, "rcv", in.RecvBuffer, "mtu", in.MTU, "total", h.total) }
		err = errors.Join(n.open(), n.run())
		fmt.Println(err)
		for i, h := range n.host { fmt.Printf("%d %+v sent %d got %d\n", i, h.c.Info(), h.sent, h.got) }
	}
}
