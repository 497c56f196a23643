package trace

import (
	"errors"
	"fmt"
	"io"
)

// Sink takes events. It must not keep e.Packet. Event never fails as seen from
// outside; what went wrong is what Close returns, once.
type Sink interface {
	Event(e Event)
	Close() error
}

// Fan returns a Sink that hands each event to all of sinks, in their order,
// and closes them all. A nil one among them is left out. Without any, Fan
// returns nil.
func Fan(sinks ...Sink) Sink {
	var f fan
	for _, s := range sinks {
		if s != nil {
			f = append(f, s)
		}
	}
	switch len(f) {
	case 0:
		return nil
	case 1:
		return f[0]
	}
	return f
}

type fan []Sink

func (f fan) Event(e Event) {
	for _, s := range f {
		s.Event(e)
	}
}

func (f fan) Close() error {
	var all []error
	for _, s := range f {
		all = append(all, s.Close())
	}
	return errors.Join(all...)
}

// Filter returns a Sink that hands on to s what keep reports true for.
func Filter(s Sink, keep func(e *Event) bool) Sink { return filter{s, keep} }

type filter struct {
	Sink
	keep func(e *Event) bool
}

func (f filter) Event(e Event) {
	if f.keep(&e) {
		f.Sink.Event(e)
	}
}

// AtHost is what a tcpdump sees that runs on host: the packets it puts on a
// link and those it takes from one.
func AtHost(host string) func(e *Event) bool {
	return func(e *Event) bool {
		return e.Host == host && (e.Kind == Sent || e.Kind == Received)
	}
}

// OnLink is what a tcpdump sees that listens on a link: each packet once, as
// it is put on the link. "" stands for all links.
func OnLink(link string) func(e *Event) bool {
	return func(e *Event) bool {
		return e.Kind == Sent && (link == "" || e.Link == link)
	}
}

// Func is a Sink that calls itself.
type Func func(e Event)

// Event calls f.
func (f Func) Event(e Event) { f(e) }

// Close returns nil.
func (f Func) Close() error { return nil }

// output writes whole pieces to w until a write fails. Then it is deaf.
type output struct {
	w       io.Writer
	written int64
	err     error
}

// write writes b, all of it or, if w can be cut back, nothing of it.
func (o *output) write(b []byte) {
	if o.err != nil || len(b) == 0 {
		return
	}
	n, err := o.w.Write(b)
	if err == nil && n < len(b) {
		err = io.ErrShortWrite
	}
	if err == nil {
		o.written += int64(n)
		return
	}
	o.err = fmt.Errorf("trace ends after %d bytes: %w", o.written, err)
	if n > 0 {
		o.cutBack(int64(n))
	}
}

// cutBack takes the last n bytes back, if w is a file that can do it.
func (o *output) cutBack(n int64) {
	file, ok := o.w.(interface {
		io.Seeker
		Truncate(size int64) error
	})
	if !ok {
		return
	}
	end, err := file.Seek(0, io.SeekCurrent)
	if err != nil || file.Truncate(end-n) != nil {
		return
	}
	// If this fails there is nothing more to do, and nothing will be written.
	_, _ = file.Seek(end-n, io.SeekStart)
}

// close returns what went wrong, the first time it is called.
func (o *output) close() error {
	err := o.err
	o.err = errClosed
	if errors.Is(err, errClosed) {
		return nil
	}
	return err
}

var errClosed = errors.New("trace is closed")
