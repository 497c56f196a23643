package kernel

import (
	"encoding/binary"
	"strconv"
	"strings"
	"time"
	"unsafe"

	"golang.org/x/sys/unix"

	"sock/modes"
)

// Info wraps TCP_INFO.
func (s *socket) Info() (modes.Info, error) {
	t, err := unix.GetsockoptTCPInfo(s.fd, unix.IPPROTO_TCP, unix.TCP_INFO)
	if err != nil {
		return nil, err
	}
	return tcpInfo(t), nil
}

// tcpInfo lists what linux/tcp.h has in struct tcp_info, by its names there.
// The kernel counts times in microseconds but for those in milliseconds.
func tcpInfo(t *unix.TCPInfo) modes.Info {
	us := func(n uint32) time.Duration { return time.Duration(n) * time.Microsecond }
	us64 := func(n uint64) time.Duration { return time.Duration(n) * time.Microsecond }
	ms := func(n uint32) time.Duration { return time.Duration(n) * time.Millisecond }
	n := func(n uint32) int64 { return int64(n) }

	return modes.Info{
		{Name: "state", Value: nameOf(int(t.State), tcpStates())},
		{Name: "ca_state", Value: nameOf(int(t.Ca_state), congestionStates())},
		{Name: "options", Value: tcpOptions(t)},

		{Name: "rtt", Value: us(t.Rtt)},
		{Name: "rttvar", Value: us(t.Rttvar)},
		{Name: "min_rtt", Value: us(t.Min_rtt)},
		{Name: "rto", Value: us(t.Rto)},
		{Name: "ato", Value: us(t.Ato)},
		{Name: "backoff", Value: int64(t.Backoff)},
		{Name: "retransmits", Value: int64(t.Retransmits)},
		{Name: "probes", Value: int64(t.Probes)},

		{Name: "snd_mss", Value: n(t.Snd_mss)},
		{Name: "rcv_mss", Value: n(t.Rcv_mss)},
		{Name: "advmss", Value: n(t.Advmss)},
		{Name: "pmtu", Value: n(t.Pmtu)},

		{Name: "snd_cwnd", Value: n(t.Snd_cwnd)},
		{Name: "snd_ssthresh", Value: n(t.Snd_ssthresh)},
		{Name: "snd_wnd", Value: n(t.Snd_wnd)},
		{Name: "rcv_wnd", Value: n(t.Rcv_wnd)},
		{Name: "rcv_ssthresh", Value: n(t.Rcv_ssthresh)},
		{Name: "rcv_space", Value: n(t.Rcv_space)},
		{Name: "rcv_rtt", Value: us(t.Rcv_rtt)},
		{Name: "reordering", Value: n(t.Reordering)},

		{Name: "unacked", Value: n(t.Unacked)},
		{Name: "sacked", Value: n(t.Sacked)},
		{Name: "lost", Value: n(t.Lost)},
		{Name: "retrans", Value: n(t.Retrans)},
		{Name: "total_retrans", Value: n(t.Total_retrans)},
		{Name: "reord_seen", Value: n(t.Reord_seen)},
		{Name: "dsack_dups", Value: n(t.Dsack_dups)},
		{Name: "rcv_ooopack", Value: n(t.Rcv_ooopack)},
		{Name: "delivered", Value: n(t.Delivered)},
		{Name: "delivered_ce", Value: n(t.Delivered_ce)},

		{Name: "bytes_sent", Value: int64(t.Bytes_sent)},
		{Name: "bytes_acked", Value: int64(t.Bytes_acked)},
		{Name: "bytes_retrans", Value: int64(t.Bytes_retrans)},
		{Name: "bytes_received", Value: int64(t.Bytes_received)},
		{Name: "notsent_bytes", Value: n(t.Notsent_bytes)},
		{Name: "segs_out", Value: n(t.Segs_out)},
		{Name: "segs_in", Value: n(t.Segs_in)},
		{Name: "data_segs_out", Value: n(t.Data_segs_out)},
		{Name: "data_segs_in", Value: n(t.Data_segs_in)},

		{Name: "delivery_rate", Value: int64(t.Delivery_rate)}, // bytes per second
		{Name: "pacing_rate", Value: int64(t.Pacing_rate)},     // likewise; -1 for unlimited
		{Name: "busy_time", Value: us64(t.Busy_time)},
		{Name: "rwnd_limited", Value: us64(t.Rwnd_limited)},
		{Name: "sndbuf_limited", Value: us64(t.Sndbuf_limited)},
		{Name: "last_data_sent", Value: ms(t.Last_data_sent)},
		{Name: "last_data_recv", Value: ms(t.Last_data_recv)},
		{Name: "last_ack_recv", Value: ms(t.Last_ack_recv)},
	}
}

func nameOf(i int, names []string) string {
	if i < len(names) {
		return names[i]
	}
	return "unknown"
}

// tcpStates are RFC 9293's names in the order of the kernel's numbers, of
// which 0 is none and 12 is a SYN_RECEIVED of its own.
func tcpStates() []string {
	return []string{
		"none", "ESTABLISHED", "SYN_SENT", "SYN_RECEIVED", "FIN_WAIT_1", "FIN_WAIT_2", "TIME_WAIT",
		"CLOSED", "CLOSE_WAIT", "LAST_ACK", "LISTEN", "CLOSING", "SYN_RECEIVED",
	}
}

// congestionStates are those of the sender's loss recovery (enum tcp_ca_state).
func congestionStates() []string { return []string{"open", "disorder", "CWR", "recovery", "loss"} }

// tcpOptions names what the handshake agreed on, as ss(8) does.
func tcpOptions(t *unix.TCPInfo) string {
	var names []string
	for _, x := range []struct {
		bit  uint8
		name string
	}{
		{0x01, "ts"},
		{0x02, "sack"},
		{0x04, "wscale:" + windowScales(t)},
		{0x08, "ecn"},
		{0x10, "ecnseen"},
		{0x20, "fastopen"},
	} {
		if t.Options&x.bit != 0 {
			names = append(names, x.name)
		}
	}
	if len(names) == 0 {
		return "none"
	}
	return strings.Join(names, " ")
}

// windowScales gives the shifts that each end advertised, sent and received:
// two bit fields of four bits, which package unix leaves in the padding after
// Options.
func windowScales(t *unix.TCPInfo) string {
	scales := *(*byte)(unsafe.Add(unsafe.Pointer(&t.Options), 1))
	first, second := int(scales&15), int(scales>>4)
	if binary.NativeEndian.Uint16([]byte{0, 1}) == 1 { // bit fields follow the byte order
		first, second = second, first
	}
	return strconv.Itoa(first) + "," + strconv.Itoa(second)
}
