//go:build darwin || netbsd || openbsd || dragonfly

package kernel

// SetCongestion fails: the algorithm is not a socket's to choose here.
func (s *socket) SetCongestion(string) error { return unsupported{"TCP_CONGESTION"} }

// Congestion fails likewise.
func (s *socket) Congestion() (string, error) { return "", unsupported{"TCP_CONGESTION"} }
