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
	takes, err := Takes(l)
	if err != nil {
		return false, err
	}
	if takes > worthTelling {
		fmt.Fprintf(os.Stderr, "This takes about %v.\n", takes.Round(time.Second))
	}
	o := Options{Kernel: &Kernel{Interrupt: ctx.Done()}}
	if c.ladder == "" && !c.tcpdump && !c.states && !c.json {
		return c.watched(l, o)
	}
	out, err := Run(l, o)
	if err != nil {
		return false, err
	}
	return out.OK(), c.view(l, out)
}

// What is done about how long labs take.
const (
	worthTelling = 10 * time.Second // it is said before
	tooLong      = 10 * time.Minute // it is left out, unless it runs alone
)

// together runs several labs at the same time, since most of it they wait. Of
// each its report is printed when it is over.
func (c *session) together(ctx context.Context, labs []*Lab) (ok bool, err error) {
	longest := time.Duration(0)
	var short []*Lab
	for _, l := range labs {
		takes, err := Takes(l)
		switch {
		case err != nil:
			return false, err
		case takes > tooLong:
			fmt.Fprintf(c.stdout, "%s: left out, for it takes %v; alone it can be run\n", l.Name, takes.Round(time.Second))
		default:
			short = append(short, l)
			longest = max(longest, takes)
		}
	}
	if longest > worthTelling {
		fmt.Fprintf(os.Stderr, "This takes %v and more.\n", longest.Round(time.Second))
	}
	results := make(chan result)
	go begin(ctx, short, results)
	good := 0
	for range short {
		r := <-results
		switch {
		case errors.Is(r.err, onkernel.ErrInterrupted):
			err = r.err
		case r.err != nil:
			fmt.Fprintf(c.stdout, "%s cannot be run on the kernel: %v\n", r.lab.Name, r.err)
		default:
			r.out.report(c.stdout, c.width)
			if r.out.OK() && r.out.Checks > 0 {
				good++
			}
		}
	}
	if err != nil {
		return false, err
	}
	fmt.Fprintf(c.stdout, "%s on the kernel, %d as expected\n", plural(len(short), "lab"), good)
	return good == len(short), nil
}

// result is what has become of a lab.
type result struct {
	lab *Lab
	out *Outcome
	err error
}

// begin runs labs, and sends what becomes of each. They do not begin all at
// once: that is when they have something to do.
func begin(ctx context.Context, labs []*Lab, results chan<- result) {
	const gap = 500 * time.Millisecond
	room := make(chan struct{}, 8*runtime.NumCPU())
	next := time.NewTicker(gap)
	defer next.Stop()
	for _, l := range labs {
		room <- struct{}{}
		go func() {
			out, err := Run(l, Options{Kernel: &Kernel{Interrupt: ctx.Done()}})
			<-room
			results <- result{l, out, err}
		}()
		select {
		case <-next.C:
		case <-ctx.Done():
		}
	}
}
