package trace

import (
	"fmt"
	"io"
)

// NewStates returns a Sink that writes a line to w for each change of state:
// the time in seconds, the host, the connection, the states, and the cause.
//
//	0.002402  svr4  svr4.1037 bsdi.discard  SYN_SENT -> ESTABLISHED  (SYN and ACK)
func NewStates(w io.Writer, n Names) Sink { return &states{output{w: w}, n} }

type states struct {
	output
	names Names
}

func (s *states) Event(e Event) {
	if e.Kind != State {
		return
	}
	connection := s.names.addrPort(e.Local) + " " + s.names.addrPort(e.Remote)
	line := fmt.Sprintf("%s  %-8s  %-32s  %11s -> %-11s", decimal(e.At, 6, 6), e.Host, connection, e.From, e.To)
	if e.Text != "" {
		line += "  (" + e.Text + ")"
	}
	s.write([]byte(line + "\n"))
}

func (s *states) Close() error { return s.close() }
