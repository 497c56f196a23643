package opts

// place checks that the flags say once, and all, where a host with our own TCP
// is: on a wire, behind a TUN device, on an Ethernet, or else on the network of
// this machine.
func (l *line) place() error {
	o := l.o
	for _, x := range []struct{ flag, value string }{
		{"--tun", o.TUN}, {"--interface", o.Iface}, {"--gateway", o.Gateway},
	} {
		switch {
		case x.value == "":
		case o.Wire != "":
			return errorf("%s is not for a wire: drop it, or drop --wire", x.flag)
		case o.TUN != "" && x.flag != "--tun":
			return errorf("%s is for an Ethernet: behind a TUN device the kernel is the way to everywhere; drop it, or drop --tun", x.flag)
		case o.Addr == "":
			return errorf("%s needs the address that this host is to have there: add --addr ADDRESS/LENGTH", x.flag)
		}
	}
	if o.Addr == "auto" && o.Wire == "" {
		return errorf("--addr auto is for a wire, whose hub knows what is free: name an address, or add --wire FILE")
	}
	return nil
}
