package hub

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"runtime/pprof"
	"strings"
	"testing"
	"time"
)

// A file that a hub has left behind is replaced; one whose hub is there, or that
// is no socket, is not.
func TestStaleFile(t *testing.T) {
	place := filepath.Join(t.TempDir(), "wire")
	l, err := net.ListenUnix("unix", &net.UnixAddr{Name: place, Net: "unix"})
	must(t, err)
	l.SetUnlinkOnClose(false)
	must(t, l.Close()) // as kill -9 does
	if _, err := os.Lstat(place); err != nil {
		t.Fatal(err)
	}
	if _, err := Dial(t.Context(), place, "auto"); err == nil || err.Error() != place+": no hub is there; start one with --hub" {
		t.Error(err)
	}
	h, err := New(Options{})
	must(t, err)
	defer h.Close()
	must(t, h.Listen(place))
	dialPlug(t, place, "auto")

	second, err := New(Options{})
	must(t, err)
	defer second.Close()
	want := place + ": another process is the hub of this wire already: plug into it without --hub, or use another name"
	if runtime.GOOS == "linux" {
		want = fmt.Sprintf("%s: process %d is the hub of this wire already: plug into it without --hub, or use another name", place, os.Getpid())
	}
	if err := second.Listen(place); err == nil || err.Error() != want {
		t.Errorf("%v, not %s", err, want)
	}
	dialPlug(t, place, "auto") // the first is still there

	other := filepath.Join(t.TempDir(), "notes")
	must(t, os.WriteFile(other, []byte("mine"), 0o600))
	if err := second.Listen(other); err == nil || err.Error() != other+" is there already, and is no socket; use another name" {
		t.Error(err)
	}
	if b, err := os.ReadFile(other); string(b) != "mine" {
		t.Errorf("%q: %v", b, err)
	}
}

// Of many hubs that find the same stale file, one gets it.
func TestStaleFileRace(t *testing.T) {
	place := filepath.Join(t.TempDir(), "wire")
	for range 20 {
		l, err := net.ListenUnix("unix", &net.UnixAddr{Name: place, Net: "unix"})
		must(t, err)
		l.SetUnlinkOnClose(false)
		must(t, l.Close())
		errs := make(chan error)
		var hubs []*Hub
		for range 8 {
			h, err := New(Options{})
			must(t, err)
			hubs = append(hubs, h)
			go func() { errs <- h.Listen(place) }()
		}
		won := 0
		for range hubs {
			if <-errs == nil {
				won++
			}
		}
		if won != 1 {
			t.Fatalf("%d hubs have got the wire", won)
		}
		p, err := Dial(t.Context(), place, "auto")
		must(t, err)
		must(t, p.Close())
		for _, h := range hubs {
			must(t, h.Close())
		}
	}
}

// The file has the mode that was asked for, and goes with its hub.
func TestFile(t *testing.T) {
	dir := t.TempDir()
	for asked, want := range map[os.FileMode]os.FileMode{0: 0o600, 0o660: 0o660, 0o666: 0o666} {
		h, err := New(Options{Mode: asked})
		must(t, err)
		place := filepath.Join(dir, "wire")
		must(t, h.Listen(place))
		is, err := os.Stat(place)
		must(t, err)
		if got := is.Mode().Perm(); got != want {
			t.Errorf("mode %v, not %v", got, want)
		}
		must(t, h.Close())
		if _, err := os.Lstat(place); !errors.Is(err, os.ErrNotExist) {
			t.Errorf("it is left behind: %v", err)
		}
	}

	// What somebody has put in its place is his.
	h, place := newHub(t, Options{})
	must(t, os.Remove(place))
	must(t, os.WriteFile(place, nil, 0o600))
	must(t, h.Close())
	if _, err := os.Lstat(place); err != nil {
		t.Error(err)
	}
}

// What cannot be listened on is said in a sentence.
func TestListenErrors(t *testing.T) {
	h, err := New(Options{})
	must(t, err)
	defer h.Close()
	dir := t.TempDir()
	file := filepath.Join(dir, "file")
	must(t, os.WriteFile(file, nil, 0o600))
	long := filepath.Join(dir, strings.Repeat("x", 108))
	for place, want := range map[string]string{
		dir:                              " is there already, and is no socket; use another name",
		filepath.Join(dir, "no", "wire"): ": there is no directory " + filepath.Join(dir, "no") + "; make it first",
		filepath.Join(file, "wire"):      ": " + file + " is no directory; use another name",
		long:                             ": the name of a socket has about 100 bytes at most; use a shorter one",
		long + strings.Repeat("x", 1000): ": the name of a socket has about 100 bytes at most; use a shorter one",
	} {
		if err := h.Listen(place); err == nil || err.Error() != place+want {
			t.Errorf("%v, not %s%s", err, place, want)
		}
	}
	udp := overUDP(t, h)
	if err := h.Listen(udp); err == nil || !strings.HasPrefix(err.Error(), udp+": ") || strings.Count(err.Error(), "udp") != 1 {
		t.Error(err)
	}
	for _, o := range []Options{{MTU: 67}, {MTU: 65001}, {Rules: []string{"drop it"}}} {
		if _, err := New(o); err == nil {
			t.Errorf("%+v is possible", o)
		}
	}
}

// "@" is a letter as any other.
func TestAtSign(t *testing.T) {
	t.Chdir(t.TempDir())
	h, err := New(Options{})
	must(t, err)
	must(t, h.Listen("@wire"))
	if _, err := os.Lstat("@wire"); err != nil {
		t.Error(err)
	}
	dialPlug(t, "@wire", "auto")
	must(t, h.Close())
	if _, err := os.Lstat("@wire"); err == nil {
		t.Error("it is left behind")
	}
}

func TestDialErrors(t *testing.T) {
	h, unix := newHub(t, Options{})
	udp := overUDP(t, h)
	dialPlug(t, unix, "10.0.0.1")
	dialPlug(t, udp, "10.0.0.2")
	for wanted, want := range map[string]string{
		"10.0.0.2":                       "10.0.0.2 is taken by udp:127.0.0.1:",
		"sun":                            `"sun" is no IP address`,
		strings.Repeat("10.0.0.3,", 100): "100 addresses are too many",
	} {
		for _, place := range []string{unix, udp} {
			if _, err := Dial(t.Context(), place, wanted); err == nil || !strings.HasPrefix(err.Error(), place+": "+want) {
				t.Errorf("%v, not %s", err, want)
			}
		}
	}
	if runtime.GOOS == "linux" {
		want := fmt.Sprintf("%s: 10.0.0.1 is taken by process %d", unix, os.Getpid())
		if _, err := Dial(t.Context(), unix, "10.0.0.1"); err == nil || err.Error() != want {
			t.Errorf("%v, not %s", err, want)
		}
	}
	must(t, h.Close())
	for _, place := range []string{unix, udp} {
		if _, err := Dial(t.Context(), place, "auto"); err == nil || err.Error() != place+": no hub is there; start one with --hub" {
			t.Error(err)
		}
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := Dial(ctx, unix, "auto"); !errors.Is(err, context.Canceled) {
		t.Error(err)
	}
}

// A process that is killed leaves its address to others. So does one over UDP,
// but later; that is tested in virtual time.
func TestKilledPlug(t *testing.T) {
	if place := os.Getenv("SOCK_TEST_PLUG"); place != "" {
		p, err := Dial(t.Context(), place, "10.0.0.1")
		must(t, err)
		fmt.Println("plugged in")
		<-p.Done()
		return
	}
	log := newLogged()
	_, place := newHub(t, Options{Log: log.add})
	for range 3 {
		child := exec.Command(os.Args[0], "-test.run=^TestKilledPlug$", "-test.v")
		child.Env = append(os.Environ(), "SOCK_TEST_PLUG="+place)
		out, err := child.StdoutPipe()
		must(t, err)
		must(t, child.Start())
		for lines := bufio.NewScanner(out); lines.Scan() && lines.Text() != "plugged in"; {
		}
		if runtime.GOOS == "linux" {
			log.wait(t, fmt.Sprintf("10.0.0.1 has joined: process %d\n", child.Process.Pid))
		}
		must(t, child.Process.Kill())
		_ = child.Wait() // it was killed
		log.wait(t, "10.0.0.1 has left\n")
		log.clear()
	}
	dialPlug(t, place, "10.0.0.1")
}

// Nothing is left: no goroutine, no descriptor, no file.
func TestNothingLeft(t *testing.T) {
	round := func(t *testing.T) {
		h, place := newHub(t, Options{})
		udp := overUDP(t, h)
		a, b := dialHost(t, place, "10.0.0.1"), dialHost(t, udp, "10.0.0.2")
		b.echo(t)
		must(t, a.ask(t.Context(), b, noise(10_000, 1)))
		_, err := Dial(t.Context(), place, "10.0.0.1") // in vain
		if err == nil {
			t.Error("an address is given twice")
		}
		_, err = Dial(t.Context(), udp, "10.0.0.1")
		if err == nil {
			t.Error("an address is given twice")
		}
		c, err := net.Dial("unix", place) // and this one never joins
		must(t, err)
		t.Cleanup(func() { must(t, c.Close()) })
		dialPlug(t, udp, "auto") // this one is never started
		dialPlug(t, place, "auto").Start(deaf)
		must(t, h.Close())
		left, err := os.ReadDir(filepath.Dir(place))
		if len(left) > 0 || err != nil {
			t.Errorf("%v is left: %v", left, err)
		}
	}
	t.Run("first", round) // after which the runtime has its own descriptors
	before := descriptors()
	t.Run("second", round)
	patience := time.Now().Add(10 * time.Second)
	for left := goroutines(); len(left) > 0; left = goroutines() {
		if time.Now().After(patience) {
			t.Fatalf("left behind: %s", strings.Join(left, "\n\n"))
		}
		runtime.Gosched()
	}
	if after := descriptors(); after != before {
		t.Errorf("%d descriptors were open, and now %d", before, after)
	}
}

// descriptors returns how many are open, or 0 if that is not known.
func descriptors() int {
	all, err := os.ReadDir("/proc/self/fd")
	if err != nil {
		return 0
	}
	return len(all)
}

// goroutines returns the stacks of those that run code of this package, but for
// that of the test.
func goroutines() (found []string) {
	var b strings.Builder
	_ = pprof.Lookup("goroutine").WriteTo(&b, 2)
	for g := range strings.SplitSeq(b.String(), "\n\n") {
		if strings.Contains(g, "sock/rawtcp/hub.") && !strings.Contains(g, "hub.goroutines") {
			found = append(found, g)
		}
	}
	return found
}
