package trace

import "strings"

// Summary returns e in a few words, without its time: "svr4: CLOSED ->
// SYN_SENT (active open)".
func (e *Event) Summary() string { return at(e.Host, e.what()) }

// at puts a host before what happened there, unless the words begin with it:
// "10.0.0.1 has left".
func at(host, what string) string {
	if host == "" || strings.HasPrefix(what, host+" ") {
		return what
	}
	return host + ": " + what
}

func (e *Event) what() string {
	switch e.Kind {
	case Call:
		s := e.Name + "(" + e.Text + ")"
		if e.Result != "" {
			s += " = " + e.Result
		}
		return s
	case State:
		s := e.From + " -> " + e.To
		if e.Text != "" {
			s += " (" + e.Text + ")"
		}
		return s
	case TimerSet:
		return "timer " + e.Name + " set: " + shortSeconds(e.For) + " s"
	case TimerFired:
		return "timer " + e.Name + " fired"
	case TimerStopped:
		return "timer " + e.Name + " stopped"
	case Sent, Received:
		if r := e.Rule.String(); r != "" {
			return e.Kind.String() + ": " + r
		}
		return e.Kind.String()
	case Dropped:
		s := "dropped"
		if e.Reason != nil {
			s += ": " + e.Reason.String()
		}
		if r := e.Rule.String(); r != "" {
			s += ": " + r
		}
		return s
	}
	return e.Text
}
