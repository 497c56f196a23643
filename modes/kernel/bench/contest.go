//go:build linux

package main

import "strconv"

// transfer is what each pair of programs is asked to do.
type transfer struct {
	size  int // bytes of each write and read
	count int // writes
	port  int
}

func (t transfer) bytes() int { return t.size * t.count }

// command is the command line of one end.
type command func(transfer) []string

// contestant is a source and a sink.
type contestant struct {
	name    string
	needs   string // the program, if it may not be installed ...
	apt     string // ... and the Debian package that has it
	source  command
	sink    command
	unread  int     // bytes that it may leave unread at the end
	against string  // the contestant that it is compared with
	bar     float64 // the least ratio of sock to this one, or of this one to C
	way     string  // how it is run
}

// contestants is everybody, in the order of a round. Sock's own ends come
// also one at a time, each with the other end in C, so that a slow one shows.
func contestants(sock, pair string) []contestant {
	str := strconv.Itoa
	sockSource := func(t transfer) []string {
		return []string{sock, "-i", "-w", str(t.size), "-n", str(t.count), "127.0.0.1", str(t.port)}
	}
	sockSink := func(t transfer) []string {
		return []string{sock, "-i", "-s", "-r", str(t.size), str(t.port)}
	}
	cSource := func(t transfer) []string {
		return []string{pair, "source", str(t.port), str(t.size), str(t.count)}
	}
	cSink := func(t transfer) []string {
		return []string{pair, "sink", str(t.port), str(t.size)}
	}
	return []contestant{
		{
			name: "sock", source: sockSource, sink: sockSink,
			way: "sock -i -w SIZE -n COUNT to sock -i -s -r SIZE",
		},
		{
			name: "C", source: cSource, sink: cSink, bar: 0.97,
			way: "write(2) to read(2) in two loops, cc -O2",
		},
		{
			name: "sock to C", source: sockSource, sink: cSink, bar: 0.97, against: "C",
			way: "sock's source alone",
		},
		{
			name: "C to sock", source: cSource, sink: sockSink, bar: 0.97, against: "C",
			way: "sock's sink alone",
		},
		{
			name: "iperf3", needs: "iperf3", apt: "iperf3", bar: 1,
			// The client says on another connection that the test is
			// over, and what is then in the buffers is lost. Its rate
			// is counted as if it had arrived.
			unread: 16 << 20,
			source: func(t transfer) []string {
				return []string{"iperf3", "-c", "127.0.0.1", "-p", str(t.port), "-l", str(t.size), "-n", str(t.bytes()), "-i", "0"}
			},
			sink: func(t transfer) []string {
				return []string{"iperf3", "-s", "-1", "-B", "127.0.0.1", "-p", str(t.port), "-i", "0"}
			},
			way: "iperf3 -c -l SIZE -n BYTES to iperf3 -s -1",
		},
		{
			name: "nc", needs: "nc", apt: "netcat-openbsd", bar: 1,
			source: func(t transfer) []string {
				return []string{pair, "feed", str(t.size), str(t.count), "nc", "-N", "127.0.0.1", str(t.port)}
			},
			sink: func(t transfer) []string {
				return []string{"nc", "-d", "-l", "127.0.0.1", str(t.port)}
			},
			way: "writes of SIZE bytes from a C program into nc's pipe; nc has no size of its own to set",
		},
		{
			name: "socat", needs: "socat", apt: "socat", bar: 1,
			source: func(t transfer) []string {
				return []string{
					"socat", "-u", "-b", str(t.size),
					"OPEN:/dev/zero,readbytes=" + str(t.bytes()), "TCP4:127.0.0.1:" + str(t.port),
				}
			},
			sink: func(t transfer) []string {
				return []string{"socat", "-u", "-b", str(t.size), "TCP4-LISTEN:" + str(t.port), "OPEN:/dev/null"}
			},
			way: "socat -u -b SIZE from /dev/zero to /dev/null",
		},
	}
}
