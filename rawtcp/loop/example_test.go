package loop_test

import (
	"context"
	"fmt"
	"io"
	"net/netip"

	"sock/rawtcp/loop"
)

// Two hosts within the program, and a connection between them.
func ExampleNewMemory() {
	addrA, addrB := netip.MustParsePrefix("10.0.0.1/24"), netip.MustParsePrefix("10.0.0.2/24")
	left, right := loop.NewMemory(loop.MemoryOptions{}, []netip.Prefix{addrA}, []netip.Prefix{addrB})
	a, b := loop.New(left, loop.Options{}), loop.New(right, loop.Options{})
	defer a.Close()
	defer b.Close()

	echo := netip.AddrPortFrom(addrB.Addr(), 7)
	listener, err := b.Listen(echo, 5)
	if err != nil {
		fmt.Println(err)
		return
	}
	go func() {
		c, err := listener.Accept()
		if err != nil {
			return
		}
		_, _ = io.Copy(c, c)
		_ = c.Close()
	}()

	c, err := a.Dial(context.Background(), echo)
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Fprint(c, "hello, world")
	_ = c.CloseWrite()
	answer, err := io.ReadAll(c)
	fmt.Printf("%s %v\n", answer, err)
	_, err = c.Write([]byte("more"))
	fmt.Println(err != nil)
	// Output:
	// hello, world <nil>
	// true
}
