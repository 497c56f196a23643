package tcb

import "strconv"

// Rule says by which rule a segment was sent.
type Rule uint8

// The rules.
const (
	NoRule Rule = iota
	RuleOpen
	RuleSYNACK
	RuleCookie
	RuleSimultaneous
	RuleSYNTimeout
	RuleThirdACK
	RuleRefuse
	RuleRefuseACK
	RuleAckToListen
	RuleBadAckOfSYN
	RuleFullSegment
	RulePush
	RuleHalfWindow
	RuleOverride
	RuleFIN
	RuleTimeout
	RuleFastRetransmit
	RulePartialACK
	RuleSACKHole
	RuleRescue
	RuleTailProbe
	RuleLimitedTransmit
	RuleSmallerPath
	RuleProbe
	RuleReopened
	RuleUrgent
	RuleDelayedACK
	RuleEverySecond
	RuleQuickACK
	RuleOutOfOrder
	RuleHoleFilled
	RuleACKOfFIN
	RuleUnacceptable
	RulePAWS
	RuleChallenge
	RuleAckTooNew
	RuleWindowUpdate
	RuleKeepalive
	RuleAbort
	RuleCloseUnread
	RuleDataAfterClose
	RuleGiveUp
	RuleTimeWait
	RuleSYNInWindow
	RuleDuplicateSYN

	NumRules = iota
)

// String returns the rule in a short sentence.
func (r Rule) String() string { s, _ := r.text(); return s }

// Section returns where the rule stands, "RFC 9293, 3.10.7.4".
func (r Rule) Section() string { _, s := r.text(); return s }

func (r Rule) text() (sentence, section string) {
	switch r {
	case NoRule:
		return "", ""
	case RuleOpen:
		return "an active OPEN sends a SYN", "RFC 9293, 3.10.1"
	case RuleSYNACK:
		return "a listener answers a SYN with SYN and ACK", "RFC 9293, 3.10.7.2"
	case RuleCookie:
		return "the queue is full: answer with a SYN cookie, which keeps the MSS and no other option", "RFC 4987, 3.6"
	case RuleSimultaneous:
		return "a SYN has crossed ours: send ours again, with ACK", "RFC 9293, 3.10.7.3"
	case RuleSYNTimeout:
		return "the SYN has not been acknowledged in time", "RFC 9293, 3.8.3"
	case RuleThirdACK:
		return "our SYN is acknowledged: acknowledge theirs", "RFC 9293, 3.10.7.3"
	case RuleRefuse:
		return "nobody is here: reset, and acknowledge what came", "RFC 9293, 3.10.7.1"
	case RuleRefuseACK:
		return "nobody is here: reset at the number that was acknowledged", "RFC 9293, 3.10.7.1"
	case RuleAckToListen:
		return "a listener has sent nothing that could be acknowledged: reset", "RFC 9293, 3.10.7.2"
	case RuleBadAckOfSYN:
		return "it acknowledges what we never sent: reset", "RFC 9293, 3.5.2"
	case RuleFullSegment:
		return "a full-sized segment can be sent", "RFC 9293, 3.8.6.2.1"
	case RulePush:
		return "all that is queued can be sent, and nothing is unacknowledged (or Nagle is off)", "RFC 9293, 3.7.4"
	case RuleHalfWindow:
		return "half of the largest window can be filled", "RFC 9293, 3.8.6.2.1"
	case RuleOverride:
		return "the override timer has run out: send what the window allows", "RFC 9293, 3.8.6.2.1"
	case RuleFIN:
		return "all data has been sent, and the user has closed", "RFC 9293, 3.10.4"
	case RuleTimeout:
		return "the retransmission timer has run out", "RFC 6298, 5.4"
	case RuleFastRetransmit:
		return "three duplicate ACKs: the first segment is lost", "RFC 5681, 3.2"
	case RulePartialACK:
		return "a partial ACK: the next segment is lost too", "RFC 6582, 3.2"
	case RuleSACKHole:
		return "the scoreboard says that this is lost", "RFC 6675, 4"
	case RuleRescue:
		return "the last segment may be lost: rescue it", "RFC 6675, 4"
	case RuleTailProbe:
		return "the end of the flight may be lost: probe for it", "RFC 8985, 7.3"
	case RuleLimitedTransmit:
		return "a duplicate ACK: one has left the network, send a new one", "RFC 3042, 2"
	case RuleSmallerPath:
		return "the packet was too big for the path: send it again, smaller", "RFC 1191, 6.4"
	case RuleProbe:
		return "the window is closed: probe it", "RFC 9293, 3.8.6.1"
	case RuleReopened:
		return "the window has opened: what it did not take is sent again", "RFC 9293, 3.8.6.1"
	case RuleUrgent:
		return "urgent data: say so, even if the window is closed", "RFC 9293, 3.8.5"
	case RuleDelayedACK:
		return "an ACK may not be delayed any longer", "RFC 9293, 3.8.6.3"
	case RuleEverySecond:
		return "acknowledge every second full-sized segment", "RFC 5681, 4.2"
	case RuleQuickACK:
		return "acknowledge at once, so that the sender need not wait", "RFC 5681, 4.2"
	case RuleOutOfOrder:
		return "out of order: tell the sender at once", "RFC 5681, 4.2"
	case RuleHoleFilled:
		return "a hole is filled: tell the sender at once", "RFC 5681, 4.2"
	case RuleACKOfFIN:
		return "acknowledge the FIN", "RFC 9293, 3.10.7.4"
	case RuleUnacceptable:
		return "not acceptable: answer with an ACK", "RFC 9293, 3.10.7.4"
	case RulePAWS:
		return "an old timestamp: answer with an ACK", "RFC 7323, 5.3"
	case RuleChallenge:
		return "it may be forged: challenge the peer", "RFC 5961, 3.2"
	case RuleAckTooNew:
		return "it acknowledges what was never sent: answer with an ACK", "RFC 9293, 3.10.7.4"
	case RuleWindowUpdate:
		return "the window has opened", "RFC 9293, 3.8.6.2.2"
	case RuleKeepalive:
		return "silence for too long: is the peer alive?", "RFC 9293, 3.8.4"
	case RuleAbort:
		return "the user aborts", "RFC 9293, 3.10.5"
	case RuleCloseUnread:
		return "closed with data unread: reset, so that the peer knows", "RFC 9293, 3.6.1"
	case RuleDataAfterClose:
		return "data that nobody can read any more: reset", "RFC 9293, 3.6.1"
	case RuleGiveUp:
		return "too many tries: tell the peer, if it is there", "RFC 9293, 3.8.3"
	case RuleTimeWait:
		return "it must be a repeated FIN: acknowledge it again", "RFC 9293, 3.10.7.4"
	case RuleSYNInWindow:
		return "a SYN in the window is an error: reset", "RFC 793, page 71"
	case RuleDuplicateSYN:
		return "this SYN has come before: acknowledge it", "RFC 9293, 3.10.7.4"
	}
	return "rule-" + strconv.Itoa(int(r)), ""
}
