package raw

import (
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"time"

	"sock/modes"
	"sock/opts"
	"sock/rawtcp/trace"
)

// hostViews opens what --trace, --ladder and --pcapng show of a host, or nil.
func hostViews(h modes.Host, o *opts.Options, host string) (trace.Sink, error) {
	see := trace.AtHost(host)
	var line trace.Sink
	if o.Trace {
		line = newTimeline(h.Stderr())
	}
	files, err := fileViews(o, time.Now(), see)
	return trace.Fan(line, files), err
}

// hubViews opens what -v, --ladder and --pcapng show of a wire, or nil.
func hubViews(h modes.Host, o *opts.Options, epoch time.Time) (trace.Sink, error) {
	var packets trace.Sink
	if o.Verbose > 0 {
		l := trace.NewLister(trace.Listing{Times: trace.ClockTimes, Epoch: epoch})
		packets = trace.NewTcpdump(h.Stderr(), l)
	}
	files, err := fileViews(o, epoch, trace.OnLink(""))
	return trace.Fan(packets, files), err
}

// fileViews opens the files, or nil if none is asked for.
func fileViews(o *opts.Options, epoch time.Time, see func(*trace.Event) bool) (trace.Sink, error) {
	var all []trace.Sink
	for _, v := range []struct {
		name string
		make func(io.Writer) trace.Sink
	}{
		{o.Ladder, func(w io.Writer) trace.Sink { return ladder(w, o.Ladder) }},
		{o.Pcapng, func(w io.Writer) trace.Sink {
			return trace.NewPcapng(w, trace.Capture{LinkType: trace.LinkTypeRaw, Epoch: epoch, See: see})
		}},
	} {
		if v.name == "" {
			continue
		}
		f, err := os.Create(v.name)
		if err != nil {
			return nil, errors.Join(err, closeAll(all))
		}
		all = append(all, file{v.make(f), f})
	}
	return trace.Fan(all...), nil
}

func closeAll(all []trace.Sink) error {
	if len(all) == 0 {
		return nil
	}
	return trace.Fan(all...).Close()
}

// ladder draws a picture for a file of that name, or text.
func ladder(w io.Writer, name string) trace.Sink {
	if strings.HasSuffix(name, ".svg") {
		return trace.NewLadderSVG(w, trace.LadderOptions{})
	}
	return trace.NewLadder(w, trace.LadderOptions{})
}

// file is a sink that closes its file.
type file struct {
	trace.Sink
	f *os.File
}

func (f file) Close() error { return errors.Join(f.Sink.Close(), f.f.Close()) }

// timeline prints all that is told, one line each: calls, packets, states and
// timers.
type timeline struct {
	w      io.Writer
	lister *trace.Lister
}

func newTimeline(w io.Writer) trace.Sink {
	anything := func(*trace.Event) bool { return true }
	return timeline{w, trace.NewLister(trace.Listing{See: anything})}
}

// Event prints e.
func (t timeline) Event(e trace.Event) {
	text, ok := t.lister.Line(e)
	e.Host = "" // it is always the same
	switch rule := e.Rule.String(); {
	case !ok:
		text = e.Summary()
	case e.Kind == trace.Dropped:
		text = e.Summary() + ": " + text
	case e.Kind == trace.Sent && rule != "":
		text += ": " + rule
	}
	fmt.Fprintf(t.w, "%10.6f %s\n", e.At.Seconds(), text)
}

// Close does nothing: every line has been printed.
func (t timeline) Close() error { return nil }
