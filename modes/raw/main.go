package raw

import (
	"crypto/rand"
	"encoding/binary"
	"errors"
	"fmt"
	"sync"
	"time"

	"sock/modes"
	"sock/opts"
	"sock/rawtcp"
	"sock/rawtcp/hub"
	"sock/rawtcp/loop"
	"sock/rawtcp/profile"
)

// Main does what a command line with --raw or --hub asks for, and gives the exit
// status. Of h is all but the sockets.
func Main(h modes.Host, o *opts.Options) int {
	work := onLink
	switch {
	case o.Hub:
		work = beHub
	case o.UDP && o.Wire == "" && o.Addr == nil:
		// On its own network the kernel's UDP does no harm to our TCP.
		return modes.Run(h, o)
	}
	status, err := work(h, o)
	if err != nil {
		fmt.Fprintln(h.Stderr(), err)
		return 1
	}
	return status
}

// onLink runs a command line on a host whose TCP is our own.
func onLink(h modes.Host, o *opts.Options) (status int, err error) {
	system, err := system(o)
	if err != nil {
		return 0, err
	}
	seed := seed(o)
	faults, err := faults(o, seed)
	if err != nil {
		return 0, err
	}
	l, err := attach(h, o)
	if err != nil {
		return 0, err
	}
	name := l.own[0].Addr().String()
	views, err := hostViews(h, o, name)
	if err != nil {
		return 0, errors.Join(err, l.Close())
	}
	h = views.orderly()
	if o.Verbose > 0 && !o.BookMessages {
		fmt.Fprintf(h.Stderr(), "this host is %s on %s\n", addresses(l.own), l.name)
	}
	r := New(h, l.Link, l.own, loop.Options{
		Options: rawtcp.Options{Host: name, Profile: system, Seed: seed, BootOnUse: o.Seed != 0, Sink: views.opened()},
		Faults:  faults,
	})
	if o.Verbose > 0 && !o.BookMessages {
		r.Narrate(func(text string) { fmt.Fprintln(h.Stderr(), text) })
	}
	status = modes.Run(r, o)
	err = r.End()
	return views.status(status), err
}

// system returns the profile of --profile, with what --set changes in it.
func system(o *opts.Options) (*profile.Profile, error) {
	p, err := profile.Get(o.Profile)
	if err != nil {
		return nil, fmt.Errorf("--profile: %w", err)
	}
	for _, s := range o.Set {
		if err := profile.Set(p, s); err != nil {
			return nil, fmt.Errorf("--set: %w", err)
		}
	}
	return p, nil
}

// seed returns that of --seed, or one that nobody can guess.
func seed(o *opts.Options) uint64 {
	if o.Seed != 0 {
		return uint64(o.Seed)
	}
	var b [8]byte
	_, _ = rand.Read(b[:]) // "never returns an error"
	return binary.NativeEndian.Uint64(b[:])
}

// beHub is a hub until a signal ends the process, or a line says so, or nobody can
// read what it shows.
func beHub(h modes.Host, o *opts.Options) (status int, err error) {
	background()
	options := hub.Options{MTU: o.MTU, Rules: rules(o), Seed: seed(o), Epoch: time.Now()}
	if options.Conditions, err = conditions(o); err != nil {
		return 0, err
	}
	views, err := hubViews(h, o, options.Epoch)
	if err != nil {
		return 0, err
	}
	options.Sink = views.opened()
	b, err := hub.New(options)
	if err != nil {
		return 0, errors.Join(err, views.Close())
	}
	if err := b.Listen(o.Wire); err != nil {
		return 0, errors.Join(err, b.Close(), views.Close())
	}
	end := sync.OnceFunc(func() {
		if err := errors.Join(b.Close(), views.Close()); err != nil {
			fmt.Fprintln(h.Stderr(), err)
		}
	})
	defer h.Observe(0, nil, end)()
	if o.Verbose > 0 {
		fmt.Fprintf(h.Stderr(), "listening on %s\n", o.Wire)
	}
	quit := make(chan struct{})
	go func() {
		mistakes := direct{views.standard("standard error", h.Stderr())}
		answers := mistakes
		if !views.stdout() {
			answers = direct{views.standard("standard output", h.Stdout())}
		}
		switch err := b.Commands(keyboard{h}, answers, mistakes); {
		case errors.Is(err, hub.ErrQuit):
			close(quit)
		case err != nil && answers.err == nil && mistakes.err == nil && o.Verbose > 0:
			fmt.Fprintf(h.Stderr(), "no commands from standard input: %v\n", err)
		}
	}()
	select {
	case <-quit:
	case <-views.unheard:
	}
	end()
	return views.status(0), nil
}

// keyboard is standard input as an io.Reader.
type keyboard struct{ h modes.Host }

func (k keyboard) Read(p []byte) (int, error) { return k.h.Stdin(p) }
