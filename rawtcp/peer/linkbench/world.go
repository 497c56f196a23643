package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"strings"
	"syscall"
)

// world is two network namespaces with a veth between them: in one are those who
// compete, in the other always the kernel.
type world struct {
	ours, theirs string // names of the namespaces
}

const (
	device     = "veth0"              // on both sides
	peerAddr   = "10.66.0.2"          // the kernel's
	prefixSize = "/24"                // of the network
	kernelAddr = "10.66.0.1"          // of the kernel, when it competes
	ourAddr    = "10.66.0.3"          // of who has a TCP of his own
	ourNetwork = ourAddr + prefixSize // and its network
)

// newWorld makes the namespaces. What the veth does for long segments it does
// only if large is set.
func newWorld(ctx context.Context, large bool) (w *world, err error) {
	w = &world{fmt.Sprintf("bench-%d-a", os.Getpid()), fmt.Sprintf("bench-%d-b", os.Getpid())}
	defer func() {
		if err != nil {
			w.close()
		}
	}()
	for _, line := range []string{
		"ip netns add " + w.ours,
		"ip netns add " + w.theirs,
		"ip link add " + device + " netns " + w.ours + " type veth peer name " + device + " netns " + w.theirs,
		"ip -n " + w.ours + " link set " + device + " up",
		"ip -n " + w.theirs + " link set " + device + " up",
		"ip -n " + w.theirs + " address add " + peerAddr + prefixSize + " dev " + device,
	} {
		if err := execute(ctx, line); err != nil {
			return w, err
		}
	}
	if !large {
		for _, ns := range []string{w.ours, w.theirs} {
			if err := execute(ctx, "ip netns exec "+ns+" ethtool -K "+device+" tso off gso off gro off"); err != nil {
				return w, err
			}
		}
	}
	return w, nil
}

// close removes the namespaces, and so all that is in them.
func (w *world) close() {
	for _, ns := range []string{w.ours, w.theirs} {
		_ = execute(context.Background(), "ip netns delete "+ns) // or it was never there
	}
}

// share gives the kernel an address on our side, or takes it away.
func (w *world) share(ctx context.Context, does bool) error {
	verb := "delete "
	if does {
		verb = "add "
	}
	return execute(ctx, "ip -n "+w.ours+" address "+verb+kernelAddr+prefixSize+" dev "+device)
}

// forget has the other side forget whose an address was: the next one has another
// Ethernet address.
func (w *world) forget(ctx context.Context) error {
	return execute(ctx, "ip -n "+w.theirs+" neighbor flush dev "+device)
}

func execute(ctx context.Context, line string) error {
	argv := strings.Fields(line)
	out, err := exec.CommandContext(ctx, argv[0], argv[1:]...).CombinedOutput()
	if errors.Is(err, exec.ErrNotFound) {
		return fmt.Errorf("%w: apt-get install iproute2 ethtool", err)
	}
	if err != nil {
		return fmt.Errorf("%s: %w: %s", line, err, out)
	}
	return nil
}

// start starts a program in a namespace, which dies with the context.
func start(ctx context.Context, ns string, argv ...string) (*program, error) {
	cmd := exec.CommandContext(ctx, "ip", append([]string{"netns", "exec", ns}, argv...)...)
	cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	p := &program{Cmd: cmd}
	cmd.Stdout, cmd.Stderr = &p.out, &p.err
	return p, cmd.Start()
}

// program is one that runs.
type program struct {
	*exec.Cmd
	out, err strings.Builder
}

// wait waits for its end.
func (p *program) wait() error {
	if err := p.Wait(); err != nil {
		return fmt.Errorf("%s: %w: %s", strings.Join(p.Args[4:], " "), err, p.err.String())
	}
	return nil
}
