//go:build linux

package main

import (
	"flag"
	"fmt"
	"os"
	"os/exec"
	"runtime"
	"strconv"
	"syscall"
	"testing"

	"github.com/rogpeppe/go-internal/testscript"
	"golang.org/x/sys/unix"
)

// Each script runs in a network namespace of its own, so that it may use the
// book's ports, listen below 1024 and run beside the others.

func TestMain(m *testing.M) {
	if os.Getuid() != 0 && os.Getenv("SOCK_TEST_ROOT") == "" {
		os.Exit(asRoot())
	}
	testscript.Main(scripts{m}, map[string]func(){
		"sock": func() { os.Exit(run(os.Args[1:])) },
		// hold keeps a namespace alive until its standard input ends.
		"hold": func() { os.Stdin.Read(make([]byte, 1)) },
	})
}

// scripts are tests that wait, most of the time: for neighbors who do not answer, for
// timers, and for what comes late. So more of them run at once than there are
// processors, unless -parallel says how many.
type scripts struct{ *testing.M }

func (m scripts) Run() int {
	flag.Parse()
	given := false
	flag.Visit(func(f *flag.Flag) { given = given || f.Name == "test.parallel" })
	if !given {
		// Package testing has no other way to say so.
		_ = flag.Set("test.parallel", strconv.Itoa(4*runtime.GOMAXPROCS(0)))
	}
	return m.M.Run()
}

// asRoot runs the tests again in a user namespace in which they are root.
// Where that is forbidden they run as they are, and setupScript skips.
func asRoot() int {
	cmd := exec.Command("/proc/self/exe", os.Args[1:]...)
	cmd.Stdin, cmd.Stdout, cmd.Stderr = os.Stdin, os.Stdout, os.Stderr
	cmd.Env = append(os.Environ(), "SOCK_TEST_ROOT=1")
	cmd.SysProcAttr = &syscall.SysProcAttr{
		Cloneflags:  unix.CLONE_NEWUSER,
		UidMappings: []syscall.SysProcIDMap{{HostID: os.Getuid(), Size: 1}},
		GidMappings: []syscall.SysProcIDMap{{HostID: os.Getgid(), Size: 1}},
	}
	err := cmd.Start()
	if err != nil {
		cmd.SysProcAttr = nil
		err = cmd.Run()
	} else {
		err = cmd.Wait()
	}
	return exitStatus(err)
}

// setupScript gives the script's thread, and so every program that it starts,
// a network of its own with the loopback interface up.
func setupScript(env *testscript.Env) error {
	runtime.LockOSThread() // and never unlocked: the thread ends with the script
	if err := unix.Unshare(unix.CLONE_NEWNET); err != nil {
		env.T().Skip("a network namespace is refused (", err, "): run the tests as root, or allow user namespaces")
	}
	if out, err := exec.Command("ip", "link", "set", "lo", "up").CombinedOutput(); err != nil {
		return fmt.Errorf("ip link set lo up: %v: %s (apt-get install iproute2)", err, out)
	}
	return setupJobs(env)
}

// setupJobs is setupScript for scripts that need no network.
func setupJobs(env *testscript.Env) error {
	js := jobs{}
	env.Values["jobs"], env.Values["hosts"] = js, map[string]string{}
	env.Defer(js.stop)
	env.Setenv("GORACE", "atexit_sleep_ms=0") // else a second at the end of each program
	return nil
}

// cmdHost makes a second host. Here is 10.0.0.1 and fd00::1, there is
// 10.0.0.2 and fd00::2.
func cmdHost(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 1 {
		ts.Fatalf("usage: host NAME")
	}
	hold := exec.Command("hold")
	hold.Path, _ = exec.LookPath("hold")
	if hold.Path == "" {
		hold.Path = "/proc/self/exe"
	}
	hold.SysProcAttr = &syscall.SysProcAttr{Cloneflags: unix.CLONE_NEWNET, Pdeathsig: syscall.SIGKILL}
	stdin, err := hold.StdinPipe()
	ts.Check(err)
	ts.Check(hold.Start())
	ts.Defer(func() {
		stdin.Close()
		hold.Wait()
	})
	pid := strconv.Itoa(hold.Process.Pid)
	ts.Value("hosts").(map[string]string)[args[0]] = pid
	ts.Setenv(args[0], pid)
	there := []string{"nsenter", "--net", "--target", pid}
	for _, line := range [][]string{
		{"ip", "link", "add", "eth0", "type", "veth", "peer", "name", "eth0", "netns", pid},
		{"ip", "addr", "add", "10.0.0.1/24", "broadcast", "10.0.0.255", "dev", "eth0"},
		{"ip", "addr", "add", "fd00::1/64", "dev", "eth0", "nodad"},
		{"ip", "link", "set", "eth0", "up"},
		append(there, "ip", "link", "set", "lo", "up"),
		append(there, "ip", "addr", "add", "10.0.0.2/24", "broadcast", "10.0.0.255", "dev", "eth0"),
		append(there, "ip", "addr", "add", "fd00::2/64", "dev", "eth0", "nodad"),
		append(there, "ip", "link", "set", "eth0", "up"),
	} {
		if out, err := exec.Command(line[0], line[1:]...).CombinedOutput(); err != nil {
			ts.Fatalf("%v: %v: %s", line, err, out)
		}
	}
}

// openPTY opens a pseudo-terminal.
func openPTY(ts *testscript.TestScript) (master, slave *os.File) {
	master, err := os.OpenFile("/dev/ptmx", os.O_RDWR|unix.O_NOCTTY, 0)
	ts.Check(err)
	fd := int(master.Fd())
	ts.Check(unix.IoctlSetPointerInt(fd, unix.TIOCSPTLCK, 0))
	n, err := unix.IoctlGetInt(fd, unix.TIOCGPTN)
	ts.Check(err)
	slave, err = os.OpenFile(fmt.Sprintf("/dev/pts/%d", n), os.O_RDWR|unix.O_NOCTTY, 0)
	ts.Check(err)
	return master, slave
}
