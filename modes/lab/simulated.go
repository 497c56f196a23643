package lab

import (
	"time"

	"sock/modes/lab/sim"
	"sock/rawtcp/link"
	"sock/rawtcp/trace"
)

// simulated is a stage in virtual time.
type simulated struct{ *builder }

func newSimulated(l *Lab, system string, seed uint64, sink trace.Sink) simulated {
	w := sim.New(seed, sink)
	w.Epoch = l.Clock
	return simulated{newBuilder(l, system, w)}
}

func (s simulated) names() trace.Names  { return s.world.TraceNames() }
func (s simulated) Now() time.Duration  { return s.world.Now() }
func (s simulated) Step() (bool, error) { return s.world.Step() }
func (s simulated) Close()              { s.world.Close() }

// At needs no patience: what was to be by now is.
func (s simulated) At(at time.Duration, _ func() bool, do func()) { s.world.At(at, do) }

// resting is false: Step knows when nothing is left to do.
func (s simulated) resting() bool { return false }

func (s simulated) start(host string, words []string, stdin *string) (process, error) {
	p, err := s.world.Start(host, words)
	if err != nil {
		return nil, err
	}
	if stdin != nil {
		p.Redirect([]byte(*stdin))
	}
	return simProcess{p}, nil
}

type simProcess struct{ *sim.Process }

func (p simProcess) written(but int) (all []piece) {
	for _, o := range p.Output()[but:] {
		all = append(all, piece{o.At, o.Text})
	}
	return all
}

func (s simulated) crash(host string)        { s.hosts[host].Crash() }
func (s simulated) reboot(host string) error { s.hosts[host].Reboot(); return nil }
func (s simulated) isUp(host string) bool    { return s.hosts[host].Node.Up() }
func (s simulated) rule(text string) error   { return s.world.Net.Rule(text) }

func (s simulated) change(link string, c link.Conditions) { s.world.Net.FindLink(link).Set(c) }

func (s simulated) inject(link string, packet []byte, why trace.Rule) error {
	return s.world.Net.FindLink(link).Inject(s.world.Now(), packet, why)
}

func (s simulated) netstat(host string) []sim.Row { return s.hosts[host].Netstat() }

func (s simulated) arp(host string) (all []link.ARPEntry) {
	for _, l := range s.lab.links {
		if p := s.ports[port{host, l.name}]; p != nil && !l.PointToPoint {
			all = append(all, p.ARPCache(s.world.Now())...)
		}
	}
	return all
}
