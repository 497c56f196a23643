package link

import (
	"bytes"
	"fmt"
	"net/netip"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"sock/rawtcp/seq"
	"sock/rawtcp/wire"
)

// segmentFrom returns a TCP segment between a, which is end 0, and b.
func segmentFrom(end int, flags wire.Flags, n seq.Value, data string) []byte {
	src, dst := addr("10.0.0.1"), addr("10.0.0.2")
	s := wire.Segment{SrcPort: 1037, DstPort: 9, Flags: flags, Seq: n, Ack: n, Payload: []byte(data)}
	if end == 1 {
		src, dst = dst, src
		s.SrcPort, s.DstPort = 9, 1037
	}
	h := wire.IPv4{TTL: 64, Src: src, Dst: dst, Protocol: wire.ProtoTCP, Payload: s.AppendTo(nil, src, dst, wire.ChecksumFull)}
	return h.AppendTo(nil)
}

// through sends a connection's segments through p, one every second in turn,
// and returns what comes out at the other ends.
func through(t *testing.T, p *Pipe) string {
	t.Helper()
	syn, ack, fin := wire.SYN, wire.ACK, wire.FIN
	var b strings.Builder
	out := func(now time.Duration) {
		for {
			f, at, ok := p.Out(now)
			if !ok {
				return
			}
			fmt.Fprintf(&b, "%s %d: %s\n", seconds(at), f.ID, state(f.Packet))
			p.Release(f.Packet)
		}
	}
	p.Name = func(a netip.Addr) string {
		return map[netip.Addr]string{addr("10.0.0.1"): "a", addr("10.0.0.2"): "b"}[a]
	}
	p.End = func(name string) (int, bool) {
		end, ok := map[string]int{"a": 0, "b": 1}[name]
		return end, ok
	}
	p.Dropped = func(now time.Duration, f Frame, why Reason) {
		fmt.Fprintf(&b, "%s %d: %s\n", seconds(now), f.ID, why)
	}
	for i, s := range []struct {
		end   int
		flags wire.Flags
		data  string
	}{
		{0, syn, ""},
		{1, syn | ack, ""},
		{0, ack, ""},
		{0, ack, "data"},
		{1, ack, ""},
		{0, ack, "more"},
		{1, ack, ""},
		{0, fin | ack, ""},
		{1, fin | ack, ""},
		{0, ack, ""},
	} {
		now := time.Duration(i) * time.Second
		out(now)
		p.In(now, Frame{ID: uint64(i), From: s.end, To: 1 - s.end, Packet: segmentFrom(s.end, s.flags, seq.Value(i), s.data)})
	}
	out(time.Hour)
	if s := p.Stats(); s.In+s.Duplicated != s.Delivered+s.Dropped || s.Pending != 0 {
		t.Errorf("packets are missing: %+v", s)
	}
	return b.String()
}

// state is what a segment is, and whether it came through whole.
func state(packet []byte) string {
	var h wire.IPv4
	var s wire.Segment
	if why := h.Decode(packet); why != wire.OK {
		return "IP: " + why.String()
	}
	s.Decode(h.Payload)
	sum := ""
	if wire.VerifyTCP(h.Src, h.Dst, h.Payload) != wire.ChecksumGood {
		sum = ", bad checksum"
	}
	return fmt.Sprintf("%s %q%s", s.Flags, s.Payload, sum)
}

func TestRules(t *testing.T) {
	for _, c := range []struct {
		rules string
		want  string // only the lines that differ from those without a rule
	}{
		{"drop the 2nd pure ACK from a", "-9.000 9: ACK \"\"\n+9.000 9: dropped by rule"},
		{"drop the first 2 pure ACKs", "-2.000 2: ACK \"\"\n-4.000 4: ACK \"\"\n+2.000 2: dropped by rule\n+4.000 4: dropped by rule"},
		{"drop every FIN from b", "-8.000 8: FIN|ACK \"\"\n+8.000 8: dropped by rule"},
		{"drop every 4th segment port 9", "-3.000 3: ACK \"data\"\n-7.000 7: FIN|ACK \"\"\n+3.000 3: dropped by rule\n+7.000 7: dropped by rule"},
		{"drop the 1st datagram", ""},
		{"drop the 1st RST", ""},
		{"drop the 1st SYN from 10.0.0.2", ""},
		{"hold the 4th segment 40 s", "-3.000 3: ACK \"data\"\n+43.000 3: ACK \"data\""},
		{"hold the 4th segment until 100 s", "-3.000 3: ACK \"data\"\n+100.000 3: ACK \"data\""},
		{"duplicate the 1st data segment", "+3.000 3: ACK \"data\""},
		{"duplicate the 1st SYN to b after 20 s", "+20.000 0: SYN \"\""},
		{"corrupt the 2nd data segment", "-5.000 5: ACK \"more\"\n+5.000 5: ACK \"mord\", bad checksum"},
		{"duplicate the 1st data segment; corrupt the 1st data segment", "-3.000 3: ACK \"data\"\n" +
			"+3.000 3: ACK \"dat`\", bad checksum\n+3.000 3: ACK \"dat`\", bad checksum"},
		{"corrupt the 1st segment byte 1", "-0.000 0: SYN \"\"\n+0.000 0: IP: bad checksum"},
		{"drop the 1st segment; drop the 2nd segment", "-0.000 0: SYN \"\"\n-1.000 1: SYN|ACK \"\"\n+0.000 0: dropped by rule\n+1.000 1: dropped by rule"},
		{"cut at 7 s; mend at 8.5 s", "-7.000 7: FIN|ACK \"\"\n-8.000 8: FIN|ACK \"\"\n+7.000 7: cable cut\n+8.000 8: cable cut"},
		{"cut b at 8.5 s", "-9.000 9: ACK \"\"\n+9.000 9: cable cut"},
		{"hold the 3rd segment 5 s; cut a at 6.5 s; mend a at 7.5 s", "-2.000 2: ACK \"\"\n-7.000 7: FIN|ACK \"\"\n+7.000 2: cable cut\n+7.000 7: cable cut"},
	} {
		plain := through(t, NewPipe(Conditions{}, 1))
		p := NewPipe(Conditions{}, 1)
		p.End = func(name string) (int, bool) { return map[string]int{"a": 0, "b": 1}[name], true }
		for text := range strings.SplitSeq(c.rules, "; ") {
			r, err := ParseRule(text)
			if err != nil {
				t.Fatal(err)
			}
			if err := p.Add(r); err != nil {
				t.Fatal(err)
			}
		}
		if got := difference(plain, through(t, p)); got != c.want {
			t.Errorf("%s:\n%s", c.rules, cmp.Diff(c.want, got))
		}
	}
}

// difference lists the lines of a that are not in b, and then the reverse.
func difference(a, b string) string {
	var out []string
	minus := func(sign, a, b string) {
		rest := strings.Split(b, "\n")
		for line := range strings.SplitSeq(a, "\n") {
			found := false
			for i, other := range rest {
				if other == line {
					rest = append(rest[:i], rest[i+1:]...)
					found = true
					break
				}
			}
			if !found {
				out = append(out, sign+line)
			}
		}
	}
	minus("-", a, b)
	minus("+", b, a)
	return strings.Join(out, "\n")
}

func TestUnknownHostIsRefused(t *testing.T) {
	p := NewPipe(Conditions{}, 1)
	r, err := ParseRule("cut nobody at 1 s")
	if err != nil {
		t.Fatal(err)
	}
	if err := p.Add(r); err == nil {
		t.Error("a host that is not there was accepted")
	}
}

func TestRateAndQueue(t *testing.T) {
	p := NewPipe(Conditions{Rate: 8000, Queue: 2, Delay: time.Second}, 1) // 1 byte a millisecond
	var got []string
	p.Dropped = func(_ time.Duration, f Frame, why Reason) { got = append(got, fmt.Sprint(f.ID, " ", why)) }
	for i := range 5 {
		p.In(0, Frame{ID: uint64(i), Packet: make([]byte, 100)})
	}
	p.In(0, Frame{ID: 9, From: 1, Packet: make([]byte, 50)}) // the other way is free
	for {
		f, at, ok := p.Out(time.Hour)
		if !ok {
			break
		}
		got = append(got, fmt.Sprint(f.ID, " ", at))
	}
	want := []string{"3 queue full", "4 queue full", "9 1.05s", "0 1.1s", "1 1.2s", "2 1.3s"}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	// The queue has emptied in the meantime.
	if why := p.In(400*time.Millisecond, Frame{Packet: make([]byte, 100)}); why != OK {
		t.Error(why)
	}
}

func TestChance(t *testing.T) {
	const n = 10_000
	p := NewPipe(Conditions{
		Delay: 20 * time.Millisecond, Jitter: 5 * time.Millisecond,
		Loss: 0.1, Duplication: 0.05, Reordering: 0.02, Corruption: 0.01,
	}, 7)
	sent := make([]byte, 40)
	late, damaged, out := 0, 0, uint64(0)
	last := uint64(0)
	for i := range n + 100 {
		now := time.Duration(i) * time.Millisecond
		if i < n {
			p.In(now, Frame{ID: uint64(i), Packet: bytes.Clone(sent)})
		}
		for {
			f, at, ok := p.Out(now)
			if !ok {
				break
			}
			out++
			if d := at - time.Duration(f.ID)*time.Millisecond; d < 20*time.Millisecond || d > 35*time.Millisecond {
				t.Fatalf("packet %d took %v", f.ID, d)
			}
			if f.ID < last {
				late++
			}
			last = max(last, f.ID)
			if !bytes.Equal(f.Packet, sent) {
				damaged++
			}
		}
	}
	s := p.Stats()
	about := func(what string, got uint64, want float64) {
		t.Helper()
		if float64(got) < want*0.8 || float64(got) > want*1.2 {
			t.Errorf("%s: %d, want about %.0f", what, got, want)
		}
	}
	about("lost", s.Dropped, 0.1*n)
	about("duplicated", s.Duplicated, 0.05*0.9*n)
	about("overtaken", uint64(late), 0.02*0.9*n)
	about("damaged", uint64(damaged), 0.01*0.9*n)
	if s.Pending != 0 || s.In+s.Duplicated != s.Delivered+s.Dropped || out != s.Delivered {
		t.Errorf("packets are missing: %+v, and %d came out", s, out)
	}
}

// Whatever the conditions: what goes in comes out or is dropped, Out and
// NextDeadline agree, no packet is early, and the same seed does the same.
func TestPipeProperties(t *testing.T) {
	for seed := range uint64(200) {
		run := func() (string, Stats) {
			c := Conditions{
				Delay: time.Duration(seed%5) * time.Millisecond, Jitter: time.Duration(seed%3) * time.Millisecond,
				Loss: float64(seed%7) / 20, Duplication: float64(seed%4) / 10,
				Reordering: float64(seed%6) / 10, Corruption: float64(seed%2) / 5,
			}
			if seed%3 == 0 {
				c.Rate, c.Queue = 1_000_000, int(seed%10)
			}
			p := NewPipe(c, seed)
			if seed%5 == 0 {
				p.Cut(30*time.Millisecond, int(seed%3)-1)
				p.Mend(60*time.Millisecond, int(seed%3)-1)
			}
			var log strings.Builder
			p.Dropped = func(now time.Duration, f Frame, why Reason) { fmt.Fprintln(&log, now, f.ID, why) }
			now := time.Duration(0)
			for i := range 300 {
				if i < 200 {
					p.In(now, Frame{ID: uint64(i), From: i % 2, To: 1 - i%2, Packet: make([]byte, 1+i*7%1500)})
				}
				step := now + time.Millisecond/2
				if i >= 200 {
					step = now + time.Second
				}
				for {
					at, ok := p.NextDeadline()
					if !ok || at > step {
						break
					}
					if at < now {
						t.Fatalf("seed %d: deadline %v at %v", seed, at, now)
					}
					now = at
					f, when, ok := p.Out(now)
					if ok && when != now {
						t.Fatalf("seed %d: out at %v, due %v", seed, when, now)
					}
					if again, more := p.NextDeadline(); !ok && more && again <= now {
						t.Fatalf("seed %d: the deadline %v has passed and nothing happened", seed, again)
					}
					if ok {
						fmt.Fprintf(&log, "%v %d %x\n", when, f.ID, f.Packet)
						p.Release(f.Packet)
					}
				}
				now = step
			}
			return log.String(), p.Stats()
		}
		log, s := run()
		if s.In != 200 || s.In+s.Duplicated != s.Delivered+s.Dropped || s.Pending != 0 {
			t.Errorf("seed %d: packets are missing: %+v", seed, s)
		}
		if again, _ := run(); again != log {
			t.Errorf("seed %d: the second time is different:\n%s", seed, cmp.Diff(log, again))
		}
	}
}
