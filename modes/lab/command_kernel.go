package lab

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/signal"
	"runtime"
	"strings"
	"syscall"
	"time"

	"sock/modes/lab/onkernel"
)

// onKernel runs labs with the kernel's sockets.
func (c *session) onKernel(words []string) (ok bool, err error) {
	if len(words) > 0 && words[0] == "run" {
		words = words[1:]
	}
	if len(words) == 1 && words[0] == "all" {
		if words, err = Names(); err != nil {
			return false, err
		}
	}
	var labs []*Lab
	for _, word := range words {
		l, err := Load(strings.TrimSuffix(word, "@"+Linux))
		if err != nil {
			return false, err
		}
		labs = append(labs, l)
	}
	if len(labs) == 0 {
		return false, errors.New("run which lab?")
	}
	if status, ran, err := onkernel.AsRoot(); ran || err != nil {
		return status == 0, err
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if len(labs) > 1 {
		return c.together(ctx, labs)
	}
	return c.live(ctx, labs[0])
}

// live runs one lab. Its time-line is shown as it comes to pass.
func (c *session) live(ctx context.Context, l *Lab) (ok bool, err error) {
	o := Options{Kernel: &Kernel{Interrupt: ctx.Done()}}
	if err := c.announce([]*Lab{l}); err != nil {
		return false, err
	}
	if c.ladder != "" || c.tcpdump || c.states || c.json {
		out, err := Run(l, o)
		if err != nil {
			return false, err
		}
		return out.OK(), c.view(l, out)
	}
	return c.watched(l, o)
}

// worthTelling is how long a lab takes of which it is said before.
const worthTelling = 10 * time.Second

// announce says how long it will take.
func (c *session) announce(labs []*Lab) error {
	longest, name := time.Duration(0), ""
	for _, l := range labs {
		d, err := Takes(l)
		if err != nil {
			return err
		}
		if d > longest {
			longest, name = d, l.Name
		}
	}
	if longest < worthTelling {
		return nil
	}
	about := longest.Round(time.Second)
	if len(labs) > 1 {
		_, err := fmt.Fprintf(os.Stderr, "%s takes about %v, and others go on meanwhile.\n", name, about)
		return err
	}
	_, err := fmt.Fprintf(os.Stderr, "This takes about %v.\n", about)
	return err
}

// together runs several labs at a time, since most of their time they wait. Of
// each its report is printed, in their order.
func (c *session) together(ctx context.Context, labs []*Lab) (ok bool, err error) {
	if err := c.announce(labs); err != nil {
		return false, err
	}
	type result struct {
		out *Outcome
		err error
	}
	results := make([]chan result, len(labs))
	room := make(chan struct{}, 4*runtime.NumCPU())
	for i, l := range labs {
		results[i] = make(chan result, 1)
		go func() {
			room <- struct{}{}
			defer func() { <-room }()
			out, err := Run(l, Options{Kernel: &Kernel{Interrupt: ctx.Done()}})
			results[i] <- result{out, err}
		}()
	}
	good := 0
	for i, l := range labs {
		r := <-results[i]
		switch {
		case errors.Is(r.err, onkernel.ErrInterrupted):
			err = r.err
		case r.err != nil:
			fmt.Fprintf(c.stdout, "%s: cannot be run on the kernel: %v\n", l.Name, r.err)
		default:
			r.out.report(c.stdout, c.width)
			if r.out.OK() {
				good++
			}
		}
	}
	if err == nil {
		fmt.Fprintf(c.stdout, "%s on the kernel, %d as expected\n", plural(len(labs), "lab"), good)
	}
	return good == len(labs), err
}
