package lab

import (
	"fmt"
	"slices"

	"sock/rawtcp"
	"sock/rawtcp/link"
	"sock/rawtcp/tcb"
	"sock/rawtcp/udp"
	"sock/rawtcp/wire"
)

// isReason reports whether packets are dropped for a reason like text, in which *
// is anything.
func isReason(text string) bool {
	return slices.ContainsFunc(reasons(), func(r string) bool { return fitsText(text, r) })
}

// reasons returns why a host may drop a packet, in the words of a trace.
func reasons() []string {
	return slices.Concat(
		words[wire.Reason](wire.NumReasons),
		words[link.Reason](link.NumReasons),
		words[rawtcp.Reason](rawtcp.NumReasons),
		words[tcb.Reason](tcb.NumReasons),
		words[udp.Reason](udp.NumReasons),
	)
}

// words returns those of all the reasons of a package, which are below n. 0 is none.
func words[R interface {
	~uint8
	fmt.Stringer
}](n R) (all []string) {
	for r := R(1); r < n; r++ {
		all = append(all, r.String())
	}
	return all
}
