package sim

import (
	"net/netip"

	"sock/modes"
)

// nothing is a socket that can do nothing: what no kind of socket has to say
// itself.
type nothing struct{ p *Process }

func (n nothing) enter() { n.p.w.enter() }

// Listen and the others say that there is no such call for this kind of
// socket, or on these machines.
func (nothing) Listen(int) error                              { return eOPNOTSUPP }
func (nothing) Accept() (modes.Socket, error)                 { return nil, eOPNOTSUPP }
func (nothing) WriteUrgent(byte) error                        { return eOPNOTSUPP }
func (nothing) ReadFrom([]byte) (modes.Received, error)       { return modes.Received{}, eOPNOTSUPP }
func (nothing) WriteTo([]byte, netip.AddrPort) (int, error)   { return 0, eISCONN }
func (nothing) CloseWrite() error                             { return eOPNOTSUPP }
func (nothing) SetRoute([]netip.Addr, netip.Addr, bool) error { return eOPNOTSUPP }
func (nothing) JoinGroup(netip.Addr) error                    { return eNOPROTOOPT }
func (nothing) SetCongestion(string) error                    { return eNOPROTOOPT }
func (nothing) Congestion() (string, error)                   { return "", eNOPROTOOPT }
func (nothing) Info() (modes.Info, error)                     { return nil, eNOPROTOOPT }
