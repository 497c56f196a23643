package hub

import (
	"bytes"
	"crypto/sha256"
	"errors"
	"io"
	"net"
	"net/netip"
	"os"
	"os/exec"
	"strings"
	"syscall"
	"testing"
)

// The tests of TUN devices run in a process of their own, with a network
// namespace of its own.
const inNamespace = "SOCK_TEST_TUN"

// apart runs the test again in a network namespace, or skips it where none can
// be made. It returns true to whoever is in it.
func apart(t *testing.T) bool {
	t.Helper()
	if os.Getenv(inNamespace) != "" {
		return true
	}
	child := exec.Command(os.Args[0], "-test.run=^"+t.Name()+"$", "-test.v")
	child.Env = append(os.Environ(), inNamespace+"=1")
	child.SysProcAttr = &syscall.SysProcAttr{Cloneflags: syscall.CLONE_NEWNET}
	if uid := os.Getuid(); uid != 0 {
		child.SysProcAttr.Cloneflags |= syscall.CLONE_NEWUSER
		child.SysProcAttr.UidMappings = []syscall.SysProcIDMap{{HostID: uid, Size: 1}}
		child.SysProcAttr.GidMappings = []syscall.SysProcIDMap{{HostID: os.Getgid(), Size: 1}}
	}
	out, err := child.CombinedOutput()
	var exit *exec.ExitError
	switch {
	case errors.As(err, &exit):
		t.Fatalf("%s", out)
	case err != nil:
		t.Skipf("no network namespace: %v; run the test as root, or allow user namespaces", err)
	case bytes.Contains(out, []byte("--- SKIP")):
		t.Skipf("%s", out)
	}
	return false
}

// The kernel on the wire speaks with our TCP, both ways and with both families.
func TestTUN(t *testing.T) {
	if !apart(t) {
		return
	}
	h, place := newHub(t, Options{})
	device, err := h.TUN("", "10.0.0.254,fd00::fe")
	if err != nil && strings.Contains(err.Error(), "TUN") {
		t.Skip(err)
	}
	must(t, err)
	a := dialHost(t, place, "10.0.0.1,fd00::1")
	data := noise(10<<20, 1)
	want := sha256.Sum256(data)
	for _, x := range []struct{ engine, kernel string }{{"10.0.0.1", "10.0.0.254"}, {"fd00::1", "fd00::fe"}} {
		a.addr = netip.MustParseAddr(x.engine)
		n := a.echo(t)
		c, err := net.Dial("tcp", netip.AddrPortFrom(a.addr, 7).String())
		must(t, err)
		_, err = c.Write(data)
		must(t, err)
		must(t, c.(*net.TCPConn).CloseWrite())
		got, err := io.ReadAll(c)
		must(t, err)
		if !bytes.Equal(got, want[:]) {
			t.Errorf("from the kernel to %s: %x, not %x", x.engine, got, want)
		}
		must(t, c.Close())
		must(t, n.Close())

		l, err := net.Listen("tcp", netip.AddrPortFrom(netip.MustParseAddr(x.kernel), 7).String())
		must(t, err)
		sum := make(chan [32]byte)
		go func() {
			s, err := l.Accept()
			if err != nil {
				t.Error(err)
				return
			}
			got, _ := io.ReadAll(s)
			sum <- sha256.Sum256(got)
			_ = s.Close()
		}()
		e, err := a.Dial(t.Context(), netip.AddrPortFrom(netip.MustParseAddr(x.kernel), 7))
		must(t, err)
		_, err = e.Write(data)
		must(t, err)
		must(t, e.CloseWrite())
		if got := <-sum; got != want {
			t.Errorf("to the kernel at %s: %x, not %x", x.kernel, got, want)
		}
		must(t, e.Close())
		must(t, l.Close())
	}
	if is, err := net.InterfaceByName(device); err != nil || is.MTU != 1500 {
		t.Errorf("%+v: %v", is, err)
	}
	must(t, h.Close())
	if _, err := net.InterfaceByName(device); err == nil {
		t.Error("the device is left behind")
	}
}

// A device that somebody removes is unplugged; what cannot be had is refused.
func TestTUNErrors(t *testing.T) {
	if !apart(t) {
		return
	}
	log := newLogged()
	h, place := newHub(t, Options{Log: log.add})
	device, err := h.TUN("wire7", "auto")
	if err != nil && strings.Contains(err.Error(), "TUN") {
		t.Skip(err)
	}
	must(t, err)
	if device != "wire7" {
		t.Errorf("it is called %s", device)
	}
	for _, x := range []struct{ name, address, want string }{
		{"wire7", "auto", "the device wire7 has somebody behind it already: end that process, or take another name"},
		{"", "10.0.0.1", "10.0.0.1 is taken by the kernel, through wire7"},
		{"much too long a name", "auto", `"much too long a name" is no name for a TUN device: it has 20 characters, and 15 are the most`},
	} {
		if _, err := h.TUN(x.name, x.address); err == nil || err.Error() != x.want {
			t.Errorf("%v, not %s", err, x.want)
		}
	}
	if out, err := exec.Command("ip", "link", "delete", device).CombinedOutput(); err != nil {
		t.Skipf("no ip(8): %v %s", err, out)
	}
	log.wait(t, "10.0.0.1 has left: the device: ")
	dialPlug(t, place, "10.0.0.1")
}
