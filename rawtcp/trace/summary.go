package trace

// Summary returns e in a few words, without its time: "svr4: CLOSED ->
// SYN_SENT (active open)".
func (e *Event) Summary() string {
	s := e.what()
	if e.Host != "" {
		s = e.Host + ": " + s
	}
	return s
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
