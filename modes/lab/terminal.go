package lab

import (
	"fmt"
	"strings"
	"time"

	"sock/modes/lab/sim"
	"sock/rawtcp/link"
	"sock/rawtcp/trace"
)

// terminal is where commands are typed, one after the other.
type terminal struct {
	name  string
	queue []oneCommand // of the command line, to come
	proc  process      // nil between commands
	read  int          // pieces of its output that were taken
	open  string       // a line that was begun
}

// next starts the next command of the line.
func (t *terminal) next(r *runner) error {
	for t.proc == nil && len(t.queue) > 0 {
		c := t.queue[0]
		t.queue = t.queue[1:]
		if done, err := t.builtin(r, c.words); done || err != nil {
			if err != nil {
				return err
			}
			continue
		}
		var stdin *string
		if c.redirect != "" {
			text := r.Lab.files[c.redirect]
			stdin = &text
		}
		p, err := r.start(hostOf(t.name), asInTheBook(c.words), stdin)
		if err != nil {
			return err
		}
		t.proc, t.read = p, 0
	}
	return nil
}

// asInTheBook lets sock say what the book's program said, and no more.
func asInTheBook(words []string) []string {
	if words[0] != "sock" {
		return words
	}
	return append([]string{"sock", "--book-messages"}, words[1:]...)
}

// builtin runs the commands that look at the host itself: they take no time.
func (t *terminal) builtin(r *runner, words []string) (done bool, err error) {
	host := hostOf(t.name)
	var lines []string
	switch {
	case words[0] == "netstat":
		lines = netstat(r.netstat(host), strings.Join(words[1:], " "))
	case words[0] == "arp":
		lines = arp(r.arp(host), r.Names)
	default:
		return false, nil
	}
	if !r.isUp(host) {
		return true, fmt.Errorf("host %s is down", host)
	}
	for _, l := range lines {
		r.note(Printed, t.name, l)
	}
	t.ended(r, 0, r.Now())
	return true, nil
}

// poll takes what the terminals show now.
func (r *runner) poll() {
	for _, t := range r.order {
		if err := t.poll(r); err != nil && r.err == nil {
			r.err = err
		}
	}
}

func (t *terminal) poll(r *runner) error {
	if t.proc == nil {
		return nil
	}
	out := t.proc.written(t.read)
	for _, piece := range out {
		t.open += piece.text
		for {
			line, rest, ok := strings.Cut(t.open, "\n")
			if !ok {
				break
			}
			t.open = rest
			t.print(r, line, piece.at)
		}
	}
	t.read += len(out)
	status, at, done := t.proc.Done()
	if !done {
		return nil
	}
	t.flush(r)
	t.proc = nil
	t.ended(r, status, at)
	return t.next(r)
}

// ended takes down the end of a command. The last one of a line counts.
func (t *terminal) ended(r *runner, status int, at time.Duration) {
	ends := r.ends[t.name]
	ends[len(ends)-1] = ending{status, at, len(t.queue) == 0}
}

// flush shows a line that was begun: nothing else will come, or what is typed
// now stands behind it.
func (t *terminal) flush(r *runner) {
	if t.open != "" {
		t.print(r, t.open, r.Now())
	}
	t.open = ""
}

func (t *terminal) print(r *runner, line string, at time.Duration) {
	r.add(Entry{At: at, Kind: Printed, Terminal: t.name, Text: strings.TrimRight(line, "\r")})
	r.watchLast()
}

// netstat is what "netstat -a -n -f inet" prints. Without -a it leaves out
// sockets that listen.
func netstat(rows []sim.Row, flags string) []string {
	what := ""
	all := strings.Contains(flags, "a")
	if all {
		what = " (including servers)"
	}
	lines := []string{
		"Active Internet connections" + what,
		"Proto Recv-Q Send-Q  Local Address          Foreign Address        (state)",
	}
	for _, row := range rows {
		if all || row.State != "LISTEN" && (row.State != "" || row.Foreign.IsValid()) {
			lines = append(lines, row.String())
		}
	}
	return lines
}

// arp is what "arp -a" prints.
func arp(entries []link.ARPEntry, names trace.Names) (lines []string) {
	for _, e := range entries {
		name := names.Host(e.IP)
		if name == "" {
			name = "?"
		}
		at := "(incomplete)"
		if e.Complete {
			at = e.MAC.String()
		}
		if e.Permanent {
			at += " permanent"
		}
		lines = append(lines, fmt.Sprintf("%s (%s) at %s", name, e.IP, at))
	}
	return lines
}
