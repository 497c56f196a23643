package sim

import (
	"fmt"
	"net/netip"
	"slices"

	"sock/modes"
	"sock/modes/lab/programs"
)

// Serve has h offer a service from now on, and after each boot: "echo",
// "discard", "daytime" or "chargen", over TCP and UDP, or the "shell" of rsh.
// The process is nil while h is down.
func (h *Host) Serve(name string) (*Process, error) {
	if !programs.IsService(name) {
		return nil, fmt.Errorf("there is no service %q: there are echo, discard, daytime, chargen and shell", name)
	}
	h.services = append(h.services, name)
	if !h.Node.Up() {
		return nil, nil
	}
	return h.inetd(name), nil
}

func (h *Host) inetd(name string) *Process {
	return h.start([]string{"inetd", name}, func(t *task, _ []string) int {
		return programs.Inetd(t, name, h.families()...)
	})
}

// families are those that h has addresses of.
func (h *Host) families() []modes.Family {
	all := []modes.Family{modes.IPv4}
	if slices.ContainsFunc(h.Node.Addresses(), func(a netip.Prefix) bool { return a.Addr().Is6() }) {
		all = append(all, modes.IPv6)
	}
	return all
}
