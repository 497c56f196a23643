//go:build linux

package onkernel

import (
	"cmp"
	"fmt"
	"io"
	"net"
	"net/netip"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"time"

	"golang.org/x/sys/unix"

	"sock/rawtcp/link"
	"sock/rawtcp/trace"
	"sock/rawtcp/wire"
)

// HostOptions are the properties of a host.
type HostOptions struct {
	Interfaces []Interface
	Routes     []link.Route
	// Router makes the host forward packets.
	Router bool
	// Sysctl are settings below /proc/sys, "net/ipv4/tcp_sack", and their
	// values.
	Sysctl map[string]string
	// Services are command lines that run from boot to crash.
	Services []Command
}

// Interface is what attaches a host to a link.
type Interface struct {
	Link *Link
	Name string // "eth0"
	// Addresses are those of the host, each with the prefix length of the
	// network.
	Addresses []netip.Prefix
	MAC       wire.MAC // zero: it gets one
}

// Host is a machine: a network namespace, with a thread that lives there.
type Host struct {
	HostOptions
	w         *World
	name      string
	ports     []*port
	up        bool
	thread    *thread
	onlooker  *onlooker
	looked    time.Duration
	loopback  *os.File              // what goes from h to itself
	tables    map[string][]*os.File // of the sockets, by transport
	running   []*Process
	processes sync.WaitGroup
}

// Host adds a host and boots it. An error is one sentence that says what to do.
func (w *World) Host(name string, o HostOptions) (*Host, error) {
	h := &Host{HostOptions: o, w: w, name: name}
	for _, i := range o.Interfaces {
		p := &port{host: h, link: i.Link, index: len(i.Link.ports), name: i.Name, prefixes: i.Addresses}
		switch {
		case i.Link.p2p:
		case i.MAC != (wire.MAC{}):
			p.mac = i.MAC
		default:
			p.mac = wire.MAC{2, 0, 0, 0, byte(len(w.hosts) + 1), byte(len(h.ports))}
		}
		i.Link.ports = append(i.Link.ports, p)
		h.ports = append(h.ports, p)
	}
	w.hosts = append(w.hosts, h)
	return h, h.boot()
}

// Up reports whether h runs.
func (h *Host) Up() bool { return h.up }

func (h *Host) has(a netip.Addr) bool {
	return slices.ContainsFunc(h.ports, func(p *port) bool { return p.has(a) })
}

// hasIPv6 reports whether h has an address of that version.
func (h *Host) hasIPv6() bool {
	for _, p := range h.ports {
		if slices.ContainsFunc(p.prefixes, func(a netip.Prefix) bool { return a.Addr().Is6() }) {
			return true
		}
	}
	return false
}

// boot makes the namespace, and all that is in it.
func (h *Host) boot() error {
	h.onlooker = &onlooker{host: h.name, tell: func(e trace.Event) { h.w.tell(e) }}
	h.thread, h.up = newThread(), true
	if err := h.thread.do(h.setUp); err != nil {
		h.halt()
		return fmt.Errorf("host %s: %w", h.name, err)
	}
	for _, p := range h.ports {
		go p.read(p.file)
	}
	go h.readLoopback(h.loopback)
	for _, c := range h.Services {
		if _, err := h.start(c); err != nil {
			h.halt()
			return fmt.Errorf("host %s: %w", h.name, err)
		}
	}
	return nil
}

// setUp is what the thread of h does at boot.
func (h *Host) setUp() error {
	if err := unshare(); err != nil {
		return err
	}
	if err := nameHosts(h.w.hostsFile()); err != nil {
		return fmt.Errorf("/etc/hosts cannot be replaced: %w", err)
	}
	if err := sysctl(h.settings()); err != nil {
		return err
	}
	if err := sysctl(h.Sysctl); err != nil {
		return err
	}
	n, err := newNetlink()
	if err != nil {
		return err
	}
	defer n.close()
	if err := bring(n, "lo", 0, wire.MAC{}, nil); err != nil {
		return err
	}
	for _, p := range h.ports {
		if p.file, err = openTap(p.name, p.link.p2p); err != nil {
			return err
		}
		if err := bring(n, p.name, p.link.mtu, p.mac, p.prefixes); err != nil {
			return err
		}
		i, err := net.InterfaceByName(p.name)
		if err != nil {
			return err
		}
		p.number = i.Index
		if err := sysctl(p.settings()); err != nil {
			return err
		}
	}
	for _, r := range h.Routes {
		// As in a World of memory: a gateway on no link of the host leads nowhere.
		if err := n.route(r.To, r.Gateway); err != nil && err != unix.ENETUNREACH && err != unix.EEXIST {
			return fmt.Errorf("route to %s: %w", r.To, err)
		}
	}
	if h.loopback, err = openLoopback(); err != nil {
		return err
	}
	return h.openTables()
}

// sysctl sets what is below /proc/sys, as far as the kernel has it.
func sysctl(settings map[string]string) error {
	for name, value := range settings {
		err := os.WriteFile(filepath.Join("/proc/sys", name), []byte(value), 0)
		if err != nil && !os.IsNotExist(err) {
			return err
		}
	}
	return nil
}

// unshare gives the thread a network and mounts of its own.
func unshare() error {
	if err := unix.Unshare(unix.CLONE_NEWNET | unix.CLONE_NEWNS); err != nil {
		return fmt.Errorf("a network namespace is refused (%w): %s", err, permission)
	}
	// Each look at /proc/net/tcp goes through the whole table of the machine,
	// unless the namespace has one of its own. How large that is the namespace
	// before decides, so there are two. Kernels before 6.2 know nothing of it.
	const entries = "/proc/sys/net/ipv4/tcp_child_ehash_entries"
	if os.WriteFile(entries, []byte("8192"), 0) != nil {
		return nil
	}
	return unix.Unshare(unix.CLONE_NEWNET)
}

// nameHosts puts a file with a text of its own in the place of /etc/hosts. It
// is in memory, and gone with the thread.
func nameHosts(text string) error {
	dir := os.TempDir()
	if err := unix.Mount("", "/", "", unix.MS_REC|unix.MS_PRIVATE, ""); err != nil {
		return err
	}
	if err := unix.Mount("tmpfs", dir, "tmpfs", 0, "size=1m"); err != nil {
		return err
	}
	file := filepath.Join(dir, "hosts")
	err := os.WriteFile(file, []byte(text), 0o644)
	if err == nil {
		err = unix.Mount(file, "/etc/hosts", "", unix.MS_BIND, "")
	}
	if e := unix.Unmount(dir, unix.MNT_DETACH); err == nil {
		err = e
	}
	return err
}

// bring brings an interface up, with its addresses.
func bring(n *netlink, name string, mtu int, mac wire.MAC, prefixes []netip.Prefix) error {
	i, err := net.InterfaceByName(name)
	if err != nil {
		return err
	}
	if err := n.up(i.Index, mtu, mac); err != nil {
		return fmt.Errorf("interface %s: %w", name, err)
	}
	for _, p := range prefixes {
		if err := n.address(i.Index, p, broadcastOf(p)); err != nil {
			return fmt.Errorf("interface %s, address %s: %w", name, p, err)
		}
	}
	return nil
}

// broadcastOf returns the address of all hosts of a network, if it has one.
func broadcastOf(p netip.Prefix) netip.Addr {
	if !p.Addr().Is4() || p.Bits() > 30 {
		return netip.Addr{}
	}
	b := p.Addr().As4()
	for bit := p.Bits(); bit < 32; bit++ {
		b[bit/8] |= 0x80 >> (bit % 8)
	}
	return netip.AddrFrom4(b)
}

// settings are those of a machine that says and does nothing of its own accord.
func (h *Host) settings() map[string]string {
	number := func(b bool) string {
		if b {
			return "1"
		}
		return "0"
	}
	return map[string]string{
		"net/ipv4/ip_forward":              number(h.Router),
		"net/ipv6/conf/all/forwarding":     number(h.Router && h.hasIPv6()),
		"net/ipv6/conf/all/disable_ipv6":   number(!h.hasIPv6()),
		"net/ipv6/conf/default/accept_ra":  "0",
		"net/ipv4/conf/all/rp_filter":      "0",
		"net/ipv4/conf/default/rp_filter":  "0",
		"net/ipv4/conf/all/send_redirects": "0",
		// Connections of a lab do not learn from each other.
		"net/ipv4/tcp_no_metrics_save": "1",
		// Any port may be an ephemeral one.
		"net/ipv4/ip_unprivileged_port_start": "0",
		// A small table of sockets has made this small.
		"net/ipv4/tcp_max_syn_backlog": "4096",
	}
}

// settings are those of an interface: nobody asks again, as Linux does every
// minute, for an Ethernet address that he knows.
func (p *port) settings() map[string]string {
	dir := "net/ipv4/neigh/" + p.name
	return map[string]string{dir + "/base_reachable_time_ms": "3600000", dir + "/delay_first_probe_time": "3600"}
}

// openTables opens what the kernel tells of the sockets. The files are of this
// namespace, whoever reads them.
func (h *Host) openTables() error {
	h.tables = map[string][]*os.File{}
	for _, transport := range []string{"tcp", "udp"} {
		for _, version := range []string{"", "6"} {
			f, err := os.Open("/proc/thread-self/net/" + transport + version)
			switch {
			case os.IsNotExist(err) && version != "":
			case err != nil:
				return err
			default:
				h.tables[transport] = append(h.tables[transport], f)
			}
		}
	}
	return nil
}

// sockets returns the table of a transport, "tcp" or "udp".
func (h *Host) sockets(transport string) (rows []Row) {
	for _, f := range h.tables[transport] {
		if _, err := f.Seek(0, io.SeekStart); err != nil {
			continue
		}
		if text, err := io.ReadAll(f); err == nil {
			rows = append(rows, readTable(string(text))...)
		}
	}
	return rows
}

// Sockets returns the sockets of a transport, "tcp" or "udp", as far as they
// have a port: connections before listeners, and the newest of each first.
func (h *Host) Sockets(transport string) []Row {
	if !h.up {
		return nil
	}
	rows := slices.DeleteFunc(h.sockets(transport), func(r Row) bool { return r.Local.Port() == 0 })
	slices.SortStableFunc(rows, func(a, b Row) int {
		return cmp.Or(cmp.Compare(h.onlooker.age(b), h.onlooker.age(a)), cmp.Compare(b.Inode, a.Inode))
	})
	return rows
}

// Set sets what is below /proc/sys.
func (h *Host) Set(name, value string) error {
	return h.thread.do(func() error {
		return os.WriteFile(filepath.Join("/proc/sys", name), []byte(value), 0)
	})
}

// ARP returns what h knows of the Ethernet addresses on its links.
func (h *Host) ARP() (all []link.ARPEntry) {
	if !h.up {
		return nil
	}
	_ = h.thread.do(func() error { // there is none where the kernel has no ARP
		text, err := os.ReadFile("/proc/thread-self/net/arp")
		all = readARP(string(text))
		return err
	})
	return all
}

// Crash stops h at once. Its interfaces go first, so that nobody hears of the
// end of what ran there.
func (h *Host) Crash() {
	if h.up {
		h.halt()
		h.w.tell(trace.Event{Kind: trace.Note, Host: h.name, Text: "crash"})
	}
}

// Reboot starts h again, after a Crash or with one. Its services run again,
// and nothing else.
func (h *Host) Reboot() error {
	h.Crash()
	h.w.tell(trace.Event{Kind: trace.Note, Host: h.name, Text: "reboot"})
	return h.boot()
}

// halt takes down all that boot has set up.
func (h *Host) halt() {
	if !h.up {
		return
	}
	h.up = false
	for _, p := range h.ports {
		if p.file != nil {
			p.file.Close()
			p.file = nil
		}
	}
	for _, p := range slices.Clone(h.running) {
		p.kill()
	}
	for _, files := range h.tables {
		for _, f := range files {
			f.Close()
		}
	}
	h.tables = nil
	closeAll(h.loopback)
	h.loopback = nil
	h.thread.end()
}
