package lab

import (
	"errors"
	"fmt"
	"io"
	"os"
	"slices"

	"sock/rawtcp/trace"
)

// Other ways to look at an outcome than the time-line: all of them are sinks
// of a trace that are told the events again.

// replay tells a sink all that happened, and closes it.
func (o *Outcome) replay(s trace.Sink) error {
	for _, e := range o.Events {
		s.Event(e)
	}
	return s.Close()
}

// ladder draws the hosts that say something, from left to right as they stand
// in the script.
func (o *Outcome) ladder(w io.Writer, svg bool, width int) error {
	options := trace.LadderOptions{Names: o.Names, Title: o.Lab.heading(), Width: width, Absolute: o.view().absolute}
	for _, h := range o.Hosts {
		if slices.ContainsFunc(o.Events, func(e trace.Event) bool {
			return e.Host == h && (e.Kind == trace.Sent || e.Kind == trace.Received)
		}) {
			options.Hosts = append(options.Hosts, h)
		}
	}
	if svg {
		return o.replay(trace.NewLadderSVG(w, options))
	}
	return o.replay(trace.NewLadder(w, options))
}

func (o *Outcome) states(w io.Writer) error { return o.replay(trace.NewStates(w, o.Names)) }

// tcpdump prints the packets as the book does, so that they can be pasted into
// a script.
func (o *Outcome) tcpdump(w io.Writer) {
	list := o.listing(o.view())
	width := 20
	for _, s := range list {
		width = max(width, len(s.times()))
	}
	for i, s := range list {
		times := "0.0"
		if i > 0 {
			times = s.times()
		}
		fmt.Fprintf(w, "%3d  %-*s %s\n", i+1, width, times, s.text)
	}
}

// json writes the events, and with them what the terminals show: as notes of
// their host, with a name that says what it is.
func (o *Outcome) json(w io.Writer) error {
	s := trace.NewJSON(w)
	for _, e := range o.Line {
		if e.Kind == Told {
			s.Event(o.Events[e.Event])
			continue
		}
		s.Event(trace.Event{
			At: e.At, Kind: trace.Note, Host: hostOf(e.Terminal), Name: e.Kind.String(), Text: e.Text,
		})
	}
	return s.Close()
}

// String returns what a note in JSON has as its name.
func (k EntryKind) String() string {
	switch k {
	case Commanded:
		return "command"
	case Typed:
		return "typed"
	case Printed:
		return "printed"
	case Happened:
		return "happened"
	}
	return "event"
}

// writePcapng writes the packets to a file. Nothing is left of one that cannot
// be written whole.
func (o *Outcome) writePcapng(name string) error {
	f, err := os.Create(name)
	if err != nil {
		return err
	}
	link := o.view().link
	err = o.replay(trace.NewPcapng(f, trace.Capture{
		LinkType: trace.LinkTypeEthernet, Epoch: o.Lab.Clock, See: trace.OnLink(link),
	}))
	return errors.Join(err, f.Close())
}
