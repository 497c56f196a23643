package kernel

import (
	"encoding/binary"
	"fmt"
	"net/netip"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// header is the first line of /proc/net/tcp.
const header = "  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode\n"

func endPoint(s string) netip.AddrPort { return netip.MustParseAddrPort(s) }

func TestReadEntries(t *testing.T) {
	const table = header +
		"   0: 00000000:1A0A 00000000:0000 0A 00000000:00000002 00:00000000 00000000  1000        0 1145 1 0000000061030e6c 100 0 0 10 0\n" +
		"   1: 0100007F:1A0A 0100007F:0439 06 00000000:00000000 03:0000175A 00000000     0        0 0 3 00000000a81ab36f\n" +
		"   2: 0100007F:1772 0100007F:AC02 04 0022F201:00000000 01:00000014 00000000     0        0 0 2 00000000b3190126 20 0 0 11 -1\n" +
		"  12345: 0100007F:1772 0100007F:AC02 01 00000000:00000000 00:00000000 00000000     0        0 99999999999 2\n"
	got, err := readEntries(strings.NewReader(table), binary.LittleEndian)
	if err != nil {
		t.Fatal(err)
	}
	want := []entry{
		{local: endPoint("0.0.0.0:6666"), peer: endPoint("0.0.0.0:0"), state: listening, queued: 2, uid: 1000, inode: 1145},
		{local: endPoint("127.0.0.1:6666"), peer: endPoint("127.0.0.1:1081"), state: timeWait, counting: true, left: 59780 * time.Millisecond},
		{local: endPoint("127.0.0.1:6002"), peer: endPoint("127.0.0.1:44034"), state: finWait1},
		{local: endPoint("127.0.0.1:6002"), peer: endPoint("127.0.0.1:44034"), state: established, inode: 99999999999},
	}
	if len(got) != len(want) {
		t.Fatalf("got %d entries, want %d: %+v", len(got), len(want), got)
	}
	for i := range want {
		if got[i] != want[i] {
			t.Errorf("line %d\n got %+v\nwant %+v", i, got[i], want[i])
		}
	}
}

// The words of an address are in the order of the machine, the port is not.
func TestReadEndpoint(t *testing.T) {
	for _, c := range []struct {
		text  string
		order binary.AppendByteOrder
		want  string
	}{
		{"0100007F:1A0A", binary.LittleEndian, "127.0.0.1:6666"},
		{"7F000001:1A0A", binary.BigEndian, "127.0.0.1:6666"},
		{"B80D01200000000000000000010000FE:0007", binary.LittleEndian, "[2001:db8::fe00:1]:7"},
		{"20010DB80000000000000000FE000001:0007", binary.BigEndian, "[2001:db8::fe00:1]:7"},
		{"00000000000000000000000001000000:FFFF", binary.LittleEndian, "[::1]:65535"},
		{"0000000000000000FFFF00000100007F:0007", binary.LittleEndian, "127.0.0.1:7"},
	} {
		got, ok := readEndpoint(c.text, c.order)
		if !ok || got != endPoint(c.want) {
			t.Errorf("readEndpoint(%q, %v) = %v, %v; want %s", c.text, c.order, got, ok, c.want)
		}
	}
}

func TestReadEntriesLeavesOutOddLines(t *testing.T) {
	good := "   1: 0100007F:1A0A 0100007F:0439 06 0:0 03:0000175A 0 0 0 0 3 0\n"
	for _, odd := range []string{
		"", "\n", header, "garbage\n", strings.Repeat("x ", 20) + "\n",
		strings.Replace(good, "0100007F:1A0A", "0100007F", 1),
		strings.Replace(good, "0100007F:1A0A", "0100007F:1A0AFF", 1),
		strings.Replace(good, "0100007F:1A0A", "0100007:1A0A", 1),
		strings.Replace(good, "0100007F:1A0A", "0100007G:1A0A", 1),
		strings.Replace(good, " 06 ", " 106 ", 1),
		strings.Replace(good, " 0:0 ", " 0 ", 1),
		strings.Replace(good, "03:", "", 1),
		"   1: 0100007F:1A0A 0100007F:0439 06 0:0 03:0000175A 0 0 0\n",
		"   1: 0100007F:1A0A 0100007F:0439 06 0:0 03:0000175A 0 root 0 0\n",
		"   1: 0100007F:1A0A 0100007F:0439 06 0:0 03:0000175A 0 0 0 -1\n",
	} {
		got, err := readEntries(strings.NewReader(odd+good), binary.LittleEndian)
		if err != nil || len(got) != 1 || got[0].state != timeWait {
			t.Errorf("after the line %q: %+v, %v; want the one good line", odd, got, err)
		}
	}
}

func TestStateString(t *testing.T) {
	for s, want := range map[state]string{timeWait: "TIME_WAIT", listening: "LISTEN", newSynReceived: "SYN_RCVD", 0: "state 0", 77: "state 77"} {
		if got := s.String(); got != want {
			t.Errorf("state(%d) = %q, want %q", s, got, want)
		}
	}
}

func TestReadRoutes(t *testing.T) {
	const table = `Iface	Destination	Gateway 	Flags	RefCnt	Use	Metric	Mask		MTU	Window	IRTT
v0	00000000	0900000A	0003	0	0	0	00000000	0	0	0
v0	0000000A	00000000	0001	0	0	0	00FFFFFF	0	0	0
v0	0001010A	0A00000A	0003	0	0	0	00FFFFFF	0	0	0
v0	0002010A	0A00000A	0002	0	0	0	00FFFFFF	0	0	0
`
	for to, want := range map[string]string{
		"10.0.0.77": "10.0.0.77", // on the link
		"192.0.2.1": "10.0.0.9",  // the default route
		"10.1.1.7":  "10.0.0.10", // the longer prefix
		"10.1.2.7":  "10.0.0.9",  // that one is not up
	} {
		got := readRoutes(table, netip.MustParseAddr(to), binary.LittleEndian)
		if got.String() != want {
			t.Errorf("the next hop to %s is %s, want %s", to, got, want)
		}
	}
	if got := readRoutes("", netip.MustParseAddr("10.0.0.1"), binary.LittleEndian); got.String() != "10.0.0.1" {
		t.Errorf("with no route at all the next hop is %s", got)
	}
}

// fixture is a machine whose /proc holds these files. A name that ends in
// "/fd/N" is a link to a socket.
func fixture(t *testing.T, files map[string]string) machine {
	t.Helper()
	proc := t.TempDir()
	for name, text := range files {
		path := filepath.Join(proc, name)
		err := os.MkdirAll(filepath.Dir(path), 0o755)
		if err == nil && strings.Contains(name, "/fd/") {
			err = os.Symlink(text, path)
		} else if err == nil {
			err = os.WriteFile(path, []byte(text), 0o644)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	m := thisMachine()
	m.proc = proc
	return m
}

// line is a line of a table as this machine's kernel would print it.
func line(local, peer string, s state, timer string, uid, inode int) string {
	word := func(s string) string {
		a := endPoint(s)
		b, text := a.Addr().AsSlice(), ""
		for ; len(b) > 0; b = b[4:] {
			text += fmt.Sprintf("%08X", binary.NativeEndian.Uint32(b))
		}
		return fmt.Sprintf("%s:%04X", text, a.Port())
	}
	return fmt.Sprintf("%4d: %s %s %02X 00000000:00000000 %s 00000000 %5d 0 %d 1 0\n", 0, word(local), word(peer), uint8(s), timer, uid, inode)
}

func TestOwner(t *testing.T) {
	m := fixture(t, map[string]string{
		"self/fd/3": "socket:[42]", // no process of its own
		"9/fd/0":    "/dev/null",
		"9/comm":    "cat\n",
		"77/fd/0":   "socket:[421]",
		"77/fd/5":   "socket:[42]",
		"77/comm":   "so\x1b[2Jck\n",
		"78/fd/1":   "socket:[43]",
	})
	for inode, want := range map[uint64]string{
		42: "so?[2Jck (pid 77)",
		43: "a process (pid 78)",
		44: "a process that /proc does not show",
	} {
		if got := m.owner(inode); got != want {
			t.Errorf("socket %d belongs to %q, want %q", inode, got, want)
		}
	}
	if err := os.Chmod(filepath.Join(m.proc, "9", "fd"), 0); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.Chmod(filepath.Join(m.proc, "9", "fd"), 0o700) })
	if err := os.Chmod(filepath.Dir(m.proc), 0o755); err != nil {
		t.Fatal(err)
	}
	defer asNobody(t)()
	if got, want := m.owner(44), "a process that you may not look at"; got != want {
		t.Errorf("with a process hidden, socket 44 belongs to %q, want %q", got, want)
	}
	if got, want := m.owner(43), "a process (pid 78)"; got != want {
		t.Errorf("with a process hidden, socket 43 belongs to %q, want %q", got, want)
	}
}

// asNobody takes the right to read everything from this thread, if it has it.
func asNobody(t *testing.T) (restore func()) {
	t.Helper()
	if os.Geteuid() != 0 {
		return func() {}
	}
	const nobody = 65534
	runtime.LockOSThread()
	unix.Setfsuid(nobody)
	restore = func() {
		unix.Setfsuid(0)
		runtime.UnlockOSThread()
	}
	if now, _ := unix.SetfsuidRetUid(-1); now != nobody {
		restore()
		t.Skip("the user nobody does not exist in this user namespace: run the test outside of one, or not as root")
	}
	return restore
}
