package trace

import (
	"fmt"
	"net/netip"
)

// network is the name of the line that several peers share.
const network = "network"

// meet gives the packet a, which AtHost has sent or received, its peer, and the
// line of the peers its name.
func (l *ladder) meet(a *arrow, peer netip.Addr) {
	a.peer = "?" // of a packet that is too damaged to tell
	if peer.IsValid() {
		a.peer = l.host(peer)
	}
	switch {
	case len(l.lanes) == 1:
		l.lanes = append(l.lanes, a.peer)
	case l.lanes[1] != a.peer:
		l.lanes[1] = network
	}
}

// namePeers writes at the packets whose they are, if that cannot be seen from the
// line.
func (l *ladder) namePeers() {
	if l.AtHost == "" || len(l.lanes) == 1 || l.lanes[1] != network {
		return
	}
	for _, m := range l.marks {
		if m.arrow == nil {
			continue
		}
		for i, text := range m.arrow.labels {
			m.arrow.labels[i] = m.arrow.peer + ": " + text
		}
	}
}

// incoming adds a packet that has come to AtHost, or on its way in was lost, if
// lost says why. It reports false if a ladder has it from its sender.
func (l *ladder) incoming(e *Event, lost string) bool {
	if l.AtHost == "" || e.Host != l.AtHost {
		return false
	}
	a := &arrow{from: 1, to: 0, arrived: e.At, done: lost == "", lost: lost}
	d := l.label(e, nowhere, a)
	l.meet(a, d.src)
	l.marks = append(l.marks, mark{at: e.At, lane: 0, kind: markArrive, arrow: a})
	return true
}

// confess says at the end what is not drawn.
func (l *ladder) confess() {
	if l.more == 0 {
		return
	}
	l.marks = append(l.marks, mark{
		at: l.marks[len(l.marks)-1].at, lane: nowhere, kind: markNote, text: fmt.Sprintf("%d more events are not drawn", l.more),
	})
}
