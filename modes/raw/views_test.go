package raw

import (
	"bytes"
	"errors"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"sock/modes"
	"sock/opts"
	"sock/rawtcp/trace"
)

// screen is a host of which only standard error is asked for: a pipe that
// nobody reads as long as it is blocked.
type screen struct {
	modes.Host
	blocked chan struct{} // nil if it is not
	bytes.Buffer
}

func (s *screen) Stderr() io.Writer { return s }

func (s *screen) Write(p []byte) (int, error) {
	if s.blocked != nil {
		<-s.blocked
	}
	return s.Buffer.Write(p)
}

func note(text string) trace.Event { return trace.Event{Kind: trace.Note, Text: text} }

// Who tells never waits for a blocked screen, nor does the end of the process
// wait for it for ever.
func TestBlocked(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := &screen{blocked: make(chan struct{})}
		v, err := hubViews(s, &opts.Options{Verbose: 1}, time.Now())
		if err != nil {
			t.Fatal(err)
		}
		began := time.Now()
		for range 100_000 {
			v.Event(note("something"))
		}
		if took := time.Since(began); took != 0 {
			t.Errorf("telling took %v", took)
		}
		if err := v.Close(); err != nil {
			t.Error(err)
		}
		if took := time.Since(began); took != shutting || v.status(0) != 1 {
			t.Errorf("closing took %v, status %d", took, v.status(0))
		}
		close(s.blocked)
		synctest.Wait()
		if got := s.String(); !strings.Contains(got, "something\nevents missing here: ") {
			t.Errorf("%d bytes are shown, and not that some are missing", len(got))
		}
	})
}

// A message comes after what was told before it, and says what is missing.
func TestOrder(t *testing.T) {
	s := &screen{}
	v, err := hostViews(s, &opts.Options{Trace: true}, "here")
	if err != nil {
		t.Fatal(err)
	}
	h := v.orderly()
	for range 100 {
		v.Event(note("first"))
		_, _ = io.WriteString(h.Stderr(), "second\n")
	}
	_ = v.Close()
	want := strings.Repeat("  0.000000 first\nsecond\n", 100)
	if got := s.String(); got != want || v.status(2) != 2 {
		t.Errorf("shown: %s", got)
	}
}

// full is a disk that is full after some bytes.
type full struct {
	io.Writer
	room int
}

var errFull = errors.New("the disk is full")

func (f *full) Write(p []byte) (int, error) {
	n, _ := f.Writer.Write(p[:min(len(p), f.room)])
	f.room -= n
	if n < len(p) {
		return n, &os.PathError{Op: "write", Path: "x", Err: errFull}
	}
	return n, nil
}

// What one Write has got is written as a whole, or not at all.
func TestFullDisk(t *testing.T) {
	name := filepath.Join(t.TempDir(), "out")
	file, err := os.Create(name)
	if err != nil {
		t.Fatal(err)
	}
	var told []string
	o := &output{name: "out", w: &full{file, 25}, file: file, tell: func(text string) { told = append(told, text) }}
	for range 2 {
		_, _ = o.Write([]byte("0123456789"))
		o.Flush()
	}
	_, _ = o.Write([]byte("torn: "))
	_, _ = o.Write([]byte("0123456789"))
	o.Flush()
	if _, err := o.Write([]byte("more")); !errors.Is(err, errFull) {
		t.Error(err)
	}
	o.Close()
	got, err := os.ReadFile(name)
	if err != nil || string(got) != strings.Repeat("0123456789", 2) {
		t.Errorf("%q: %v", got, err)
	}
	if len(told) != 1 || told[0] != "out ends here: the disk is full" {
		t.Errorf("told: %q", told)
	}
}
