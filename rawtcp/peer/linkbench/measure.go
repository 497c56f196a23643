package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"
)

// contestant is who competes at our end of the veth.
type contestant string

const (
	ourEther contestant = "sock --raw --addr" // with an Ethernet address of its own
	ourIP    contestant = "sock --raw"        // as the host that the kernel is, by raw IP
	gVisor   contestant = "gVisor"
	kernel   contestant = "kernel"
)

func contestants() []contestant { return []contestant{ourEther, ourIP, gVisor, kernel} }

// address returns the address that c has. The kernel has one only while it, or
// who shares it, competes.
func (c contestant) address() string {
	if c == kernel || c == ourIP {
		return kernelAddr
	}
	return ourAddr
}

// bench is what is measured now.
type bench struct {
	sock, self string // the programs
	rounds     int
	bytes      int64
	size       int // of the contestant's calls
	large      bool
	world      *world
}

const (
	port = 7000
	// kernelSize is the size of the calls at the other end: its best.
	kernelSize = 65536
	// patience is how long one run may take.
	patience = time.Minute
)

// calls returns how many calls of the contestant there are.
func (b *bench) calls() string { return strconv.FormatInt(b.bytes/int64(b.size), 10) }

// measure runs one transfer, and returns its MB/s as the kernel at the other end
// has seen it: so all are measured alike.
func (b *bench) measure(ctx context.Context, c contestant, out bool) (float64, error) {
	ctx, cancel := context.WithTimeoutCause(ctx, patience, errors.New("it hangs"))
	defer cancel()
	if c.address() == kernelAddr {
		if err := b.world.share(ctx, true); err != nil {
			return 0, err
		}
		defer b.world.share(context.WithoutCancel(ctx), false)
	}
	if err := b.world.forget(ctx); err != nil {
		return 0, err
	}
	theirs := []string{b.sock, "-i", "--json", "-s", "-r", strconv.Itoa(kernelSize), strconv.Itoa(port)}
	server, client, where, from := theirs, b.ours(c, out), b.world.theirs, b.world.ours
	if !out {
		theirs = []string{
			b.sock, "-i", "--json", "-w", strconv.Itoa(kernelSize),
			"-n", strconv.FormatInt(b.bytes/kernelSize, 10), c.address(), strconv.Itoa(port),
		}
		server, client, where, from = client, theirs, b.world.ours, b.world.theirs
	}
	s, err := start(ctx, where, server...)
	if err != nil {
		return 0, err
	}
	// When a server listens cannot be seen from outside, if its TCP is its own:
	// the client tries again.
	k, err := start(ctx, from, client...)
	for ; err == nil; k, err = start(ctx, from, client...) {
		if err = k.wait(); err == nil || ctx.Err() != nil || !early(err) {
			break
		}
	}
	if err != nil {
		cancel()
		return 0, errors.Join(context.Cause(ctx), err, s.wait())
	}
	if err := s.wait(); err != nil {
		return 0, err
	}
	if out {
		return b.rate(s)
	}
	return b.rate(k)
}

// early reports whether err is that of a client that came before its server.
func early(err error) bool {
	return strings.Contains(err.Error(), "refused") || strings.Contains(err.Error(), "No route to host")
}

// rate returns the MB/s that a sock with --json has told.
func (b *bench) rate(p *program) (float64, error) {
	var seen struct {
		Bytes   int64   `json:"bytes"`
		Seconds float64 `json:"seconds"`
	}
	if err := json.Unmarshal([]byte(p.out.String()), &seen); err != nil {
		return 0, fmt.Errorf("%w in %q", err, p.out.String())
	}
	if seen.Bytes != b.bytes {
		return 0, fmt.Errorf("%d bytes of %d", seen.Bytes, b.bytes)
	}
	return float64(seen.Bytes) / seen.Seconds / 1e6, nil
}

// ours returns the command of a contestant.
func (b *bench) ours(c contestant, out bool) []string {
	size := strconv.Itoa(b.size)
	if c == gVisor {
		role := "sink"
		if out {
			role = "source"
		}
		return []string{
			b.self, "-gvisor=" + role, "-large=" + strconv.FormatBool(b.large), "-size=" + size,
			"-bytes=" + strconv.FormatInt(b.bytes, 10),
		}
	}
	argv := []string{b.sock, "-i"}
	switch c {
	case ourEther:
		argv = append(argv, "--raw", "--addr", ourNetwork, "--interface", device)
	case ourIP:
		argv = append(argv, "--raw")
	}
	if out {
		return append(argv, "-w", size, "-n", b.calls(), peerAddr, strconv.Itoa(port))
	}
	return append(argv, "-s", "-r", size, strconv.Itoa(port))
}
