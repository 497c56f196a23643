package sockopt

import (
	"strconv"
	"strings"

	"sock/modes"
	"sock/rawtcp/tcb"
)

// Congestions are the names of tcb.Congestion.
func Congestions() []string { return []string{"none", "tahoe", "reno", "newreno", "cubic"} }

// Info is TCP_INFO: the figures that Linux has, by their names there, but for
// windows and thresholds in bytes.
func Info(in *tcb.Info) modes.Info {
	n := func(i int) int64 { return int64(i) }
	return modes.Info{
		{Name: "state", Value: in.State.String()},
		{Name: "options", Value: optionNames(in)},
		{Name: "rtt", Value: in.SRTT},
		{Name: "rttvar", Value: in.RTTVar},
		{Name: "rto", Value: in.RTO},
		{Name: "retransmits", Value: n(in.Retransmits)},
		{Name: "probes", Value: n(in.Probes + in.Keeps)},
		{Name: "snd_mss", Value: n(in.SegmentSize)},
		{Name: "advmss", Value: n(in.MSS)},
		{Name: "pmtu", Value: n(in.MTU)},
		{Name: "snd_cwnd", Value: n(in.Cwnd)},
		{Name: "snd_ssthresh", Value: n(in.Ssthresh)},
		{Name: "snd_wnd", Value: n(in.SndWnd)},
		{Name: "rcv_wnd", Value: n(in.RcvWnd)},
		{Name: "unacked", Value: n(in.SendQueued - in.Unsent)},
		{Name: "notsent_bytes", Value: n(in.Unsent)},
	}
}

// optionNames names what the handshake agreed on, as ss(8) does.
func optionNames(in *tcb.Info) string {
	var names []string
	for _, x := range []struct {
		on   bool
		name string
	}{
		{in.Timestamps, "ts"},
		{in.SACK, "sack"},
		{in.Scaling, "wscale:" + strconv.Itoa(int(in.SndShift)) + "," + strconv.Itoa(int(in.RcvShift))},
	} {
		if x.on {
			names = append(names, x.name)
		}
	}
	if names == nil {
		return "none"
	}
	return strings.Join(names, " ")
}
