package rawtcp

import "sock/rawtcp/tcb"

// Stats counts what has happened since the Stack was made, as "netstat -s" and
// the MIB of RFC 4022 do.
type Stats struct {
	ActiveOpens  uint64 // SYN_SENT entered by connect
	PassiveOpens uint64 // SYN_RCVD entered from LISTEN
	Accepts      uint64 // connections that accept has returned

	SegmentsIn   uint64
	SegmentsOut  uint64 // retransmissions and resets included
	BadChecksums uint64
	BadHeaders   uint64
	Dropped      uint64 // packets that came in and were of no use, for any reason

	Retransmits     uint64 // segments sent again, for any of the reasons below
	Timeouts        uint64 // because of the retransmission timer
	FastRetransmits uint64 // because of duplicate ACKs or SACK
	WindowProbes    uint64
	KeepaliveProbes uint64
	DelayedACKs     uint64 // sent by the timer
	ChallengeACKs   uint64
	ResetsOut       uint64 // to segments that nobody wanted, and by abort
	SendErrors      uint64 // packets that the network did not take

	Overflows       uint64 // SYNs for which a listen queue had no room
	CookiesSent     uint64
	CookiesReceived uint64
	ICMPErrors      uint64 // that concerned a connection
}

// Stats returns the counters.
func (s *Stack) Stats() Stats { return s.stats }

// count counts a segment that a machine sends, by the rule it is sent by.
func (s *Stack) count(r tcb.Rule) {
	st := &s.stats
	switch r {
	case tcb.RuleTimeout, tcb.RuleSYNTimeout:
		st.Retransmits++
		st.Timeouts++
	case tcb.RuleFastRetransmit, tcb.RulePartialACK, tcb.RuleSACKHole, tcb.RuleRescue:
		st.Retransmits++
		st.FastRetransmits++
	case tcb.RuleSmallerPath, tcb.RuleReopened:
		st.Retransmits++
	case tcb.RuleProbe:
		st.WindowProbes++
	case tcb.RuleKeepalive:
		st.KeepaliveProbes++
	case tcb.RuleDelayedACK:
		st.DelayedACKs++
	case tcb.RuleChallenge:
		st.ChallengeACKs++
	case tcb.RuleAbort, tcb.RuleCloseUnread, tcb.RuleDataAfterClose, tcb.RuleGiveUp,
		tcb.RuleRefuse, tcb.RuleRefuseACK, tcb.RuleAckToListen, tcb.RuleBadAckOfSYN, tcb.RuleSYNInWindow:
		st.ResetsOut++
	}
}
