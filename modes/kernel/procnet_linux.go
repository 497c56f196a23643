package kernel

import (
	"bufio"
	"encoding/binary"
	"errors"
	"io"
	"io/fs"
	"net/netip"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"

	"golang.org/x/sys/unix"

	"sock/modes"
)

// entry is one line of /proc/net/tcp, tcp6, udp or udp6 (proc_net_tcp.rst in
// the kernel's Documentation/networking).
type entry struct {
	local, peer netip.AddrPort
	state       state
	queued      uint64        // bytes to read; of a listener, connections to accept
	left        time.Duration // until the kernel forgets it, if counting
	counting    bool          // the timer is that of TIME_WAIT, which FIN_WAIT_2 uses too
	uid         int
	inode       uint64 // 0 when no process has it any more
}

// state is a TCP state by the kernel's number (include/net/tcp_states.h).
type state uint8

const (
	established state = iota + 1
	synSent
	synReceived
	finWait1
	finWait2
	timeWait
	closed // also an unconnected UDP socket
	closeWait
	lastAck
	listening
	closing
	newSynReceived
)

func (s state) String() string {
	names := [...]string{
		established: "ESTABLISHED", synSent: "SYN_SENT", synReceived: "SYN_RCVD",
		finWait1: "FIN_WAIT_1", finWait2: "FIN_WAIT_2", timeWait: "TIME_WAIT",
		closed: "CLOSED", closeWait: "CLOSE_WAIT", lastAck: "LAST_ACK",
		listening: "LISTEN", closing: "CLOSING", newSynReceived: "SYN_RCVD",
	}
	if int(s) >= len(names) || names[s] == "" {
		return "state " + strconv.Itoa(int(s))
	}
	return names[s]
}

// The kernel prints times in ticks of USER_HZ, which is 100 in every binary
// interface that Linux has kept.
const tick = time.Second / 100

// timeWaitTimer is the number of that timer in the column "tr".
const timeWaitTimer = 3

// readEntries reads one of the tables. An address is printed as 32-bit words in
// the order of the machine. A line that is not understood is left out.
func readEntries(r io.Reader, order binary.AppendByteOrder) ([]entry, error) {
	var list []entry
	lines := bufio.NewScanner(r)
	for lines.Scan() {
		if e, ok := readEntry(lines.Text(), order); ok {
			list = append(list, e)
		}
	}
	return list, lines.Err()
}

// readEntry reads "sl: local peer st tx:rx tr:when retrnsmt uid timeout inode".
func readEntry(line string, order binary.AppendByteOrder) (e entry, ok bool) {
	f := strings.Fields(line)
	if len(f) < 10 || !strings.HasSuffix(f[0], ":") {
		return e, false
	}
	var okLocal, okPeer bool
	e.local, okLocal = readEndpoint(f[1], order)
	e.peer, okPeer = readEndpoint(f[2], order)
	st, err := strconv.ParseUint(f[3], 16, 8)
	_, rx, okQueue := hexPair(f[4])
	timer, when, okTimer := hexPair(f[5])
	uid, err2 := strconv.Atoi(f[7])
	inode, err3 := strconv.ParseUint(f[9], 10, 64)
	if !okLocal || !okPeer || !okQueue || !okTimer || errors.Join(err, err2, err3) != nil {
		return e, false
	}
	e.state, e.queued, e.uid, e.inode = state(st), rx, uid, inode
	if timer == timeWaitTimer {
		e.counting, e.left = true, time.Duration(when)*tick
	}
	return e, true
}

// readEndpoint reads "0100007F:1A0A", or the same with four words for IPv6.
func readEndpoint(s string, order binary.AppendByteOrder) (netip.AddrPort, bool) {
	host, port, _ := strings.Cut(s, ":")
	a, ok := readAddr(host, order)
	n, err := strconv.ParseUint(port, 16, 16)
	return netip.AddrPortFrom(a, uint16(n)), ok && err == nil
}

func readAddr(s string, order binary.AppendByteOrder) (netip.Addr, bool) {
	if len(s) != 8 && len(s) != 32 {
		return netip.Addr{}, false
	}
	var b []byte
	for ; s != ""; s = s[8:] {
		word, err := strconv.ParseUint(s[:8], 16, 32)
		if err != nil {
			return netip.Addr{}, false
		}
		b = order.AppendUint32(b, uint32(word))
	}
	a, ok := netip.AddrFromSlice(b)
	return a.Unmap(), ok
}

// hexPair reads "00000000:00000A00".
func hexPair(s string) (a, b uint64, ok bool) {
	x, y, _ := strings.Cut(s, ":")
	a, err := strconv.ParseUint(x, 16, 64)
	b, err2 := strconv.ParseUint(y, 16, 64)
	return a, b, err == nil && err2 == nil
}

// sockets reads both tables of a transport, that of IPv4 and that of IPv6,
// which a kernel may lack.
func (m machine) sockets(t modes.Type) ([]entry, error) { return m.tables(t.Network()) }

func (m machine) tables(network string) ([]entry, error) {
	var list []entry
	for _, version := range []string{"", "6"} {
		file, err := os.Open(filepath.Join(m.proc, "net", network+version))
		if version == "6" && errors.Is(err, fs.ErrNotExist) {
			break
		} else if err != nil {
			return nil, err
		}
		more, err := readEntries(file, binary.NativeEndian)
		file.Close()
		if err != nil {
			return nil, err
		}
		list = append(list, more...)
	}
	return list, nil
}

// owner names the process that has the socket with this inode open.
func (m machine) owner(inode uint64) string {
	switch pid, hidden := m.find(inode); {
	case pid != "":
		return m.process(pid)
	case hidden:
		return "a process that you may not look at"
	}
	return "a process that /proc does not show"
}

// ownTCP reports whether who listens has a TCP of its own, as sock --raw has: a
// raw socket of TCP shows it. It listens to keep the port from the kernel (package
// rawip).
func (m machine) ownTCP(listener entry) bool {
	pid, _ := m.find(listener.inode)
	raw, _ := m.tables("raw")
	return pid != "" && slices.ContainsFunc(raw, func(e entry) bool {
		if e.local.Port() != unix.IPPROTO_TCP { // raw(7) has the protocol there
			return false
		}
		other, _ := m.find(e.inode)
		return other == pid
	})
}

// find returns the process that has the socket with this inode open, or whether it
// may be one of those that are hidden.
func (m machine) find(inode uint64) (pid string, hidden bool) {
	link := "socket:[" + strconv.FormatUint(inode, 10) + "]"
	all, err := os.ReadDir(m.proc)
	hidden = errors.Is(err, fs.ErrPermission)
	for _, p := range all {
		if _, err := strconv.Atoi(p.Name()); err != nil {
			continue
		}
		dir := filepath.Join(m.proc, p.Name(), "fd")
		open, err := os.ReadDir(dir)
		hidden = hidden || errors.Is(err, fs.ErrPermission)
		for _, fd := range open {
			if to, err := os.Readlink(filepath.Join(dir, fd.Name())); err == nil && to == link {
				return p.Name(), false
			}
		}
	}
	return "", hidden
}

// process is a process as "name (pid 77)".
func (m machine) process(pid string) string {
	comm := printable(m.setting(pid + "/comm"))
	if comm == "" {
		comm = "a process"
	}
	return comm + " (pid " + pid + ")"
}

// printable keeps what a process chose for its name from acting on the terminal.
func printable(s string) string {
	return strings.Map(func(c rune) rune {
		if !strconv.IsPrint(c) {
			return '?'
		}
		return c
	}, s)
}

// unmapped is an end point as the tables have it here.
func unmapped(a netip.AddrPort) netip.AddrPort {
	return netip.AddrPortFrom(a.Addr().Unmap().WithZone(""), a.Port())
}

// setting is the text of a small file of /proc, or "" if it cannot be read.
func (m machine) setting(name string) string {
	b, _ := os.ReadFile(filepath.Join(m.proc, name))
	return strings.TrimSpace(string(b))
}

// number is a setting that is a number.
func (m machine) number(name string) (int, bool) {
	n, err := strconv.Atoi(m.setting(name))
	return n, err == nil
}
