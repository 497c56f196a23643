package tcb

import (
	"sock/rawtcp/seq"
	"sock/rawtcp/wire"
)

// scoreboard is what the peer has told by SACK (RFC 6675).
type scoreboard struct {
	on      bool      // both ends do SACK
	got     spans     // has arrived, beyond snd.una
	highRxt seq.Value // all before it that was lost has been sent again
	rescued bool      // the rescue retransmission has been used
}

// update takes in the blocks of an ACK, and reports whether they told anything
// new.
func (b *scoreboard) update(t *TCB, o *wire.Options) bool {
	if !b.on {
		return false
	}
	news := false
	for _, x := range o.SACK[:min(int(o.SACKLen), len(o.SACK))] {
		s := span{x.Left, x.Right}
		// A block at or below the ACK tells of what has arrived twice (RFC
		// 2883, section 4), and one beyond what was sent is nonsense.
		if !s.left.Less(s.right) || s.left.LessEq(t.snd.una) || t.snd.nxt.Less(s.right) {
			continue
		}
		if b.got.covers(s) {
			continue
		}
		if _, ok := b.got.add(s); ok {
			news = true
		}
	}
	return news
}

// begin begins a recovery.
func (b *scoreboard) begin(t *TCB) {
	b.highRxt, b.rescued = t.snd.una, false
}

// firstIsLost is IsLost(HighACK + 1).
func (b *scoreboard) firstIsLost(t *TCB) bool {
	return b.on && len(b.got) > 0 && t.snd.una.Less(b.got[0].left) && b.lost(t, 0)
}

// lost is IsLost for the hole before span i: "The routine returns true when
// either DupThresh discontiguous SACKed sequences have arrived above SeqNum or
// more than (DupThresh - 1) * SMSS bytes with sequence numbers greater than
// SeqNum have been SACKed." (RFC 6675, section 4)
func (b *scoreboard) lost(t *TCB, i int) bool {
	above := b.got[i:]
	return len(above) >= t.cfg.DupThresh ||
		int(above.size()) > (t.cfg.DupThresh-1)*t.smss()
}

// pipe is SetPipe: "the number of octets that are in transit".
func (b *scoreboard) pipe(t *TCB) int {
	n := 0
	left := t.snd.una
	for i := 0; i <= len(b.got); i++ {
		right := t.snd.nxt
		lost := false
		if i < len(b.got) {
			right = b.got[i].left
			lost = b.lost(t, i)
		}
		if !lost {
			n += int(right.Sub(left))
		}
		if left.Less(b.highRxt) {
			n += int(seq.Min(right, b.highRxt).Sub(left))
		}
		if i < len(b.got) {
			left = b.got[i].right
		}
	}
	return n
}

// next is NextSeg: what to send next in recovery, besides new data. With
// lostOnly it looks only for what is lost, rule (1); else also for what may
// be, rules (3) and (4).
func (b *scoreboard) next(t *TCB, lostOnly bool) (plan, bool) {
	left := t.snd.una
	for i, s := range b.got {
		at := seq.Max(left, b.highRxt)
		if at.Less(s.left) && (!lostOnly || b.lost(t, i)) {
			p := t.cut(at, s.left)
			p.rule, p.again = RuleSACKHole, true
			return p, true
		}
		left = s.right
	}
	if lostOnly || b.rescued {
		return plan{}, false
	}
	// "(4) If the conditions for (1), (2), and (3) fail, but there exists
	// outstanding unSACKed data, we provide the opportunity for a single
	// "rescue" retransmission per entry into loss recovery."
	if at := seq.Max(left, b.highRxt); at.Less(t.cc.recover) {
		if n := seq.Size(t.smss()); t.cc.recover.Sub(at) > n {
			at = t.cc.recover - seq.Value(n)
		}
		p := t.cut(at, t.cc.recover)
		p.rule, p.again = RuleRescue, true
		return p, true
	}
	return plan{}, false
}

// blocks writes what has arrived beyond holes to the options of an ACK.
//
// "The first SACK block [...] MUST specify the contiguous block of data
// containing the segment which triggered this ACK [...] The SACK option SHOULD
// be filled out by repeating the most recently reported SACK blocks" (RFC
// 2018, section 4). "the first SACK block [may] report the sequence numbers of
// a duplicate segment" (RFC 2883, section 4).
func (t *TCB) blocks(o *wire.Options) {
	room, n := t.sackRoom(), 0
	if d := t.ack.dsack; d.left != d.right {
		o.SACK[0] = wire.SACKBlock{Left: d.left, Right: d.right}
		n = 1
	}
	first := n
	add := func(s span) {
		x := wire.SACKBlock{Left: s.left, Right: s.right}
		for _, y := range o.SACK[first:n] {
			if x == y {
				return
			}
		}
		if n < room {
			o.SACK[n] = x
			n++
		}
	}
	for _, v := range t.ack.recent {
		for _, s := range t.rcv.held {
			if v.In(s.left, s.len()) {
				add(s)
			}
		}
	}
	for _, s := range t.rcv.held {
		add(s)
	}
	o.SACKLen = uint8(n)
}

// sackRoom returns how many blocks there is room for.
func (t *TCB) sackRoom() int {
	if t.ts.on {
		return 3
	}
	return 4
}

// sackLen returns the room that the blocks take in a segment with data. A
// segment that is small has none.
func (t *TCB) sackLen() int {
	n := len(t.rcv.held)
	if t.ack.dsack.left != t.ack.dsack.right {
		n++
	}
	if !t.sack.on || n == 0 || t.smss() < 3*wire.MaxOptionLen {
		return 0
	}
	return 4 + 8*min(n, t.sackRoom())
}
