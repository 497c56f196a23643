package tcb_test

import (
	"flag"
	"fmt"
	"maps"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"sock/rawtcp/tcb"
)

var grow = flag.Duration("grow", 0, "look so long for inputs that reach what the corpus does not, and add them")

const corpusDir = "testdata/fuzz/FuzzMachines"

// TestCorpus: the corpus of FuzzMachines reaches every state, goes along every
// arrow of the diagram, sends by every rule and refuses for every reason. So the
// fuzzer begins where all of the machine is within a few steps.
//
// When a change of the machine has made it fall short, "go test -run TestCorpus
// -grow 1m" finds what is to be added.
func TestCorpus(t *testing.T) {
	inputs := corpus(t)
	got := map[string]bool{}
	for name, in := range inputs {
		m := newMachines(in)
		if err := m.run(); err != nil {
			t.Errorf("%s: at %v: %v", name, m.now, err)
		}
		maps.Copy(got, m.reached())
	}
	if *grow > 0 {
		growCorpus(t, got)
	}
	want := reachable()
	for what := range want {
		if !got[what] {
			t.Errorf("not reached: %s", what)
		}
	}
	for what := range got {
		if !want[what] {
			t.Errorf("reached, and should not be: %s", what)
		}
	}
	t.Logf("%d inputs reach %d states, arrows, rules and reasons", len(inputs), len(got))
}

// corpus returns the inputs of the corpus by name.
func corpus(t *testing.T) map[string][]byte {
	t.Helper()
	all := map[string][]byte{}
	names, err := filepath.Glob(corpusDir + "/*")
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range names {
		text, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		_, value, _ := strings.Cut(string(text), "\n[]byte(")
		in, err := strconv.Unquote(strings.TrimSuffix(value, ")\n"))
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		all[filepath.Base(name)] = []byte(in)
	}
	return all
}

// reachable returns all that two machines can reach.
func reachable() map[string]bool {
	var m machines
	for from := range tcb.State(tcb.NumStates) {
		for to := range tcb.State(tcb.NumStates) {
			m.arrows[from][to] = from.CanBecome(to)
		}
	}
	for r := range m.rules {
		m.rules[r] = r > 0 && tcb.Rule(r) != tcb.RuleCookie // which a Stack sends
	}
	for r := range m.whys {
		switch tcb.Reason(r) {
		case tcb.ReassemblyFull: // takes more segments than a small input sends
		case tcb.SimultaneousBug: // a bug that never ends
		default:
			m.whys[r] = true
		}
	}
	return m.reached()
}

// reached returns what m has reached.
func (m *machines) reached() map[string]bool {
	all := map[string]bool{}
	for from := range tcb.State(tcb.NumStates) {
		for to := range tcb.State(tcb.NumStates) {
			if m.arrows[from][to] {
				all[from.String()], all[to.String()] = true, true
				all[fmt.Sprintf("%v to %v", from, to)] = true
			}
		}
	}
	for r, ok := range m.rules {
		if ok {
			all[tcb.Rule(r).String()] = true
		}
	}
	for r, ok := range m.whys {
		if ok {
			all["refused - "+tcb.Reason(r).String()] = true
		}
	}
	return all
}

// growCorpus runs inputs at random, and adds those that reach what is not in got.
func growCorpus(t *testing.T, got map[string]bool) {
	rnd := rand.New(rand.NewPCG(1, uint64(len(got))))
	want := reachable()
	for end := time.Now().Add(*grow); time.Now().Before(end); {
		in := randomInput(rnd)
		m := newMachines(in)
		if err := m.run(); err != nil {
			t.Fatalf("%q: at %v: %v", in, m.now, err)
		}
		for what := range m.reached() {
			if got[what] || !want[what] {
				continue
			}
			in = shrink(in, what)
			m := newMachines(in)
			if err := m.run(); err != nil {
				t.Fatalf("%q: at %v: %v", in, m.now, err)
			}
			maps.Copy(got, m.reached())
			name := strings.Map(func(c rune) rune {
				if strings.ContainsRune("abcdefghijklmnopqrstuvwxyz0123456789_", c) {
					return c
				}
				return '-'
			}, strings.ToLower(what))
			text := fmt.Sprintf("go test fuzz v1\n[]byte(%q)\n", in)
			if err := os.WriteFile(filepath.Join(corpusDir, name), []byte(text), 0o644); err != nil {
				t.Fatal(err)
			}
			t.Logf("%s: %d bytes", name, len(in))
			break
		}
	}
}

// randomInput returns an input in which a connection may come about.
func randomInput(rnd *rand.Rand) []byte {
	in := make([]byte, 16+rnd.IntN(300))
	for i := range in {
		in[i] = byte(rnd.Uint32())
		if rnd.IntN(3) == 0 {
			in[i] = byte(rnd.IntN(6)) // deliver
		}
	}
	if rnd.IntN(10) > 0 {
		steps := in[headerLen:]
		steps[0], steps[2] = opOpen<<1, opListen<<1+1
	}
	return in
}

// shrink takes out of an input what it does not need to reach what.
func shrink(in []byte, what string) []byte {
	for n := len(in) / 2; n > 0; n /= 2 {
		for i := 0; i+n <= len(in); {
			less := append(in[:i:i], in[i+n:]...)
			m := newMachines(less)
			if m.run() == nil && m.reached()[what] {
				in = less
			} else {
				i++
			}
		}
	}
	return in
}
