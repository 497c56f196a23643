package modes

import (
	"errors"
	"net/netip"
	"strconv"
	"strings"
	"testing"
	"time"

	"sock/opts"
)

func TestClientEndsWithItsInput(t *testing.T) {
	h := newFake()
	h.stdin = []string{"one\n", "two\n"}
	do(t, h, 0, nil)
	wantLines(t, "written", h.sock.wrote, "one\n", "two\n")
	wantLines(t, "calls", h.log, "connect 10.0.0.2:7", "close")
}

func TestPeerEndsTheClient(t *testing.T) {
	h := newFake()
	h.sock.network, h.sock.in, h.sock.eof = true, []string{"data"}, true
	do(t, h, 0, func(o *opts.Options) { o.Verbose = 1 })
	wantText(t, "standard output", h.out.String(), "data")
	wantText(t, "standard error", h.err.String(),
		"connected on 10.0.0.1.5 to 10.0.0.2.7\nTCP_MAXSEG = 0\nconnection closed by peer\n")
}

func TestHalfClose(t *testing.T) {
	h := newFake()
	h.stdin = []string{"2\n1\n"}
	h.sock.later = func(s *fakeSocket) { s.in, s.eof = []string{"1\n2\n"}, true }
	do(t, h, 0, func(o *opts.Options) { o.HalfClose = true })
	wantLines(t, "calls", h.log, "connect 10.0.0.2:7", "shutdown", "close")
	wantText(t, "standard output", h.out.String(), "1\n2\n")
}

// After the FIN of a question a server with -h sends its answer, and any other
// server ends.
func TestAnswer(t *testing.T) {
	for _, half := range []bool{true, false} {
		h := newFake()
		h.sock.in, h.sock.eof = []string{"2\n1\n"}, true
		h.stdin = []string{"1\n2\n"}
		h.sock.network, h.sock.later = true, func(s *fakeSocket) { s.network = false }
		do(t, h, 0, func(o *opts.Options) { o.Server, o.Host, o.HalfClose = true, "", half })
		wantText(t, "standard output", h.out.String(), "2\n1\n")
		if half {
			wantLines(t, "written", h.sock.wrote, "1\n2\n")
		} else {
			wantLines(t, "written", h.sock.wrote)
		}
	}
}

// The rule for a server's standard input, and that it is a server's alone.
func TestEndOfInput(t *testing.T) {
	for _, tt := range []struct {
		name             string
		server, terminal bool
		half             bool
		stdin            []string
		served           bool // the peer's data are still read
	}{
		{name: "server, nobody types", server: true, served: true},
		{name: "server, end typed at a terminal", server: true, terminal: true},
		{name: "server, input had data", server: true, stdin: []string{"x"}},
		{name: "server, half-close", server: true, half: true, served: true},
		{name: "client, nobody types"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			h := newFake()
			h.stdin, h.terminal = tt.stdin, tt.terminal
			h.sock.later = func(s *fakeSocket) { s.in, s.eof = []string{"late"}, true }
			do(t, h, 0, func(o *opts.Options) { o.Server, o.Host, o.HalfClose = tt.server, "", tt.half })
			if got := h.out.String() == "late"; got != tt.served {
				t.Errorf("served to the peer's end: %v, want %v", got, tt.served)
			}
		})
	}
}

func TestEchoServer(t *testing.T) {
	h := newFake()
	h.sock.in, h.sock.eof = []string{"abc", "def"}, true
	do(t, h, 0, func(o *opts.Options) { o.Server, o.Host, o.Echo = true, "", true })
	wantLines(t, "written", h.sock.wrote, "abc", "def")
	wantText(t, "standard output", h.out.String(), "")
}

// A write that the system does not take at once waits, without blocking the
// other direction, and all of it is written in the end.
func TestWriteThatWaits(t *testing.T) {
	h := newFake()
	h.stdin = []string{"abcdef"}
	h.sock.room = 2
	h.sock.in = []string{"meanwhile"}
	h.sock.later = func(s *fakeSocket) { s.room = 100 }
	do(t, h, 0, nil)
	wantLines(t, "written", h.sock.wrote, "ab", "cdef")
	wantText(t, "standard output", h.out.String(), "meanwhile")
}

func TestPieces(t *testing.T) {
	for _, tt := range []struct {
		name  string
		input string
		set   func(o *opts.Options)
		want  []string
	}{
		{"one write", "abcde", func(*opts.Options) {}, []string{"abcde"}},
		{"-w 2", "abcde", func(o *opts.Options) { o.WriteSize, o.WriteGiven = 2, true }, []string{"ab", "cd", "e"}},
		{"-k", "abc", func(o *opts.Options) { o.Chunks = true }, []string{"a", "b", "c"}},
		{"-V", "abc", func(o *opts.Options) { o.Chunks, o.Vector = true, true }, []string{"abc"}},
		{"-c", "a\nb\n", func(o *opts.Options) { o.CRLF = true }, []string{"a\r\nb\r\n"}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			h := newFake()
			h.stdin = []string{tt.input}
			do(t, h, 0, tt.set)
			wantLines(t, "written", h.sock.wrote, tt.want...)
		})
	}
}

// 1500 bytes are more than one writev takes one by one: pieces of two.
func TestPiecesFitOneWritev(t *testing.T) {
	h := newFake()
	h.stdin = []string{strings.Repeat("x", 1500)}
	do(t, h, 0, func(o *opts.Options) { o.Chunks, o.ReadSize = true, 4096 })
	if n := len(h.sock.wrote); n != 750 {
		t.Errorf("%d writes, want 750", n)
	}
}

func TestNVT(t *testing.T) {
	h := newFake()
	h.sock.network, h.sock.eof = true, true
	h.sock.in = []string{"a\r\nb\r", "\nlone\rcr", "\r"}
	do(t, h, 0, func(o *opts.Options) { o.CRLF = true })
	wantText(t, "standard output", h.out.String(), "a\nb\nlone\rcr\r")
}

func TestSource(t *testing.T) {
	h := newFake()
	do(t, h, 0, func(o *opts.Options) { o.Bulk, o.Writes, o.WriteSize, o.Urgent, o.Verbose = true, 3, 97, 2, 1 })
	line := h.sock.wrote[0]
	wantLines(t, "written", h.sock.wrote, line, line, "urgent 2", line)
	if !strings.HasPrefix(line, " !\"#") || !strings.HasSuffix(line, "|}~ !") {
		t.Errorf("data %q are not the printable characters over and over", line)
	}
	wantText(t, "standard error", h.err.String(), "connected on 10.0.0.1.5 to 10.0.0.2.7\nTCP_MAXSEG = 0\n"+
		"wrote 97 bytes\nwrote 97 bytes\nwrote 1 byte of urgent data\nwrote 97 bytes\n")
}

func TestKeepOnAfterAFailedWrite(t *testing.T) {
	h := newFake()
	h.sock.writes = []error{nil, errors.New("broken pipe"), nil}
	do(t, h, 0, func(o *opts.Options) {
		o.Bulk, o.Writes, o.WriteSize, o.KeepOn, o.BookMessages = true, 3, 5, true, true
	})
	wantText(t, "standard error", h.err.String(), "write returned -1, expected 5: Broken pipe\n")
	if len(h.sock.wrote) != 3 {
		t.Errorf("%d writes, want 3", len(h.sock.wrote))
	}

	h = newFake()
	h.sock.writes = []error{errors.New("broken pipe")}
	do(t, h, 1, func(o *opts.Options) { o.Bulk, o.WriteSize = true, 5 })
	wantText(t, "standard error", h.err.String(), "write returned -1, expected 5: Broken pipe\nbecause of write\n")
}

func TestSink(t *testing.T) {
	h := newFake()
	h.sock.in = []string{"12345"}
	do(t, h, 0, func(o *opts.Options) {
		o.Server, o.Host, o.Bulk, o.ReadSize, o.Peek, o.Verbose, o.BookMessages = true, "", true, 4, true, 1, true
	})
	wantText(t, "standard error", h.err.String(), "connection on 10.0.0.1.5 from 10.0.0.2.7\nTCP_MAXSEG = 0\n"+
		"received 4 bytes (MSG_PEEK)\nreceived 4 bytes\nreceived 1 byte (MSG_PEEK)\nreceived 1 byte\n"+
		"connection closed by peer\n")
}

func TestJSON(t *testing.T) {
	h := newFake()
	do(t, h, 0, func(o *opts.Options) {
		o.Bulk, o.Writes, o.WriteSize, o.PauseEach, o.JSON, o.TCPInfo = true, 3, 100, time.Second, true, true
	})
	wantText(t, "standard output", h.out.String(),
		`{"role":"source","local":"10.0.0.1.5","peer":"10.0.0.2.7","bytes":300,"calls":3,"seconds":2,`+
			`"bytes_per_second":150,"tcp_info":{"rtt":0.001,"state":"ESTABLISHED"}}`+"\n")
}

func TestPauses(t *testing.T) {
	h := newFake()
	h.sock.in = []string{"a", "b"}
	do(t, h, 0, func(o *opts.Options) {
		o.Server, o.Host, o.Bulk = true, "", true
		o.PauseListen, o.PauseFirst, o.PauseEach, o.PauseClose = 30*time.Second, 4*time.Second, 2*time.Second, time.Second
	})
	wantLines(t, "calls", h.log, "bind 7", "listen 5", "sleep 30s", "accept", "sleep 4s", "sleep 2s", "sleep 2s", "sleep 1s", "close", "close")
}

// A pause may last until a line is typed, which is no data.
func TestPauseUntilLine(t *testing.T) {
	h := newFake()
	h.stdin = []string{"go", " on\ndata\n"}
	h.sock.eof = true
	do(t, h, 0, func(o *opts.Options) { o.PauseFirst = opts.UntilLine })
	wantLines(t, "written", h.sock.wrote, "data\n")

	h = newFake()
	h.sock.in = []string{"a", "b", "c"}
	h.stdin = []string{"\n\nand no more"}
	do(t, h, 0, func(o *opts.Options) {
		o.Server, o.Host, o.Bulk = true, "", true
		o.PauseListen, o.PauseEach, o.PauseClose = opts.UntilLine, opts.UntilLine, opts.UntilLine
	})
	wantLines(t, "what is left", h.stdin)
	wantLines(t, "calls", h.log, "bind 7", "listen 5", "accept", "close", "close")
}

// -x and -y end the loops too, at the moment they say.
func TestTimeouts(t *testing.T) {
	h := newFake()
	h.sock.network = true
	do(t, h, 1, func(o *opts.Options) { o.ReadTimeout = 1500 * time.Millisecond })
	wantText(t, "standard error", h.err.String(), "read error: Resource temporarily unavailable\nbecause of read\n")
	wantText(t, "time", h.now.Sub(time.Unix(0, 0)).String(), "1.5s")

	h = newFake()
	h.stdin = []string{"abc"}
	h.sock.room = 1
	do(t, h, 1, func(o *opts.Options) { o.WriteTimeout = 2 * time.Second })
	wantText(t, "standard error", h.err.String(), "write error: Resource temporarily unavailable\nbecause of write\n")
	wantText(t, "time", h.now.Sub(time.Unix(0, 0)).String(), "2s")
}

func TestUDPServerAnswersTheLast(t *testing.T) {
	h := newFake()
	h.stdin = []string{"answer"}
	h.sock.in, h.sock.from = []string{"question"}, netip.MustParseAddrPort("10.0.0.9:99")
	do(t, h, 0, func(o *opts.Options) { o.Server, o.Host, o.UDP, o.Verbose, o.BookMessages = true, "", true, 1, true })
	wantLines(t, "written", h.sock.wrote, "answer to 10.0.0.9:99")
	wantText(t, "standard output", h.out.String(), "question")
	wantText(t, "standard error", h.err.String(), "from 10.0.0.9: ")
}

// What the SYN depends on is set before it, what a connection has is set when
// it stands.
func TestOrderOfOptions(t *testing.T) {
	h := newFake()
	all := func(o *opts.Options) {
		o.ReuseAddr, o.LocalPort, o.RecvBuf, o.MaxSeg, o.TOS = true, 1162, 4096, 512, 16
		o.KeepAlive, o.Linger, o.Congestion, o.Verbose = true, 0, "reno", 1
		o.Route, o.RouteExact = []string{"10.0.0.7"}, true
	}
	do(t, h, 0, all)
	set := func(o Option) string { return "set " + strconv.Itoa(int(o)) }
	wantLines(t, "calls", h.log,
		set(ReuseAddr), "bind 1162", set(RecvBuf), set(TOS), set(MaxSeg), "congestion reno",
		"route [10.0.0.7] to 10.0.0.2, strict true", "connect 10.0.0.2:7", set(KeepAlive), set(Linger), "close")
	wantText(t, "standard error", h.err.String(),
		"source route to 10.0.0.7\nsource route to 10.0.0.2\nconnected on 10.0.0.1.5 to 10.0.0.2.7\n"+
			"SO_RCVBUF = 4096\nIP_TOS set to 16\nSO_KEEPALIVE set\nlinger on, time = 0\n"+
			"TCP_CONGESTION = reno\nTCP_MAXSEG = 512\n")
}

func TestOptionThatDoesNotTake(t *testing.T) {
	h := newFake()
	h.sock.keep = false
	do(t, h, 1, func(o *opts.Options) { o.KeepAlive = true })
	wantText(t, "standard error", h.err.String(), "SO_KEEPALIVE not set: Asked for 1, got 0\nbecause of setsockopt\n")
}

func TestBadOperands(t *testing.T) {
	h := newFake()
	do(t, h, 1, func(o *opts.Options) { o.Service, o.BookMessages = "ecco", true })
	wantText(t, "standard error", h.err.String(), "unknown service: ecco/tcp: No such service\n")
	h = newFake()
	do(t, h, 1, func(o *opts.Options) { o.Host = "nowhere" })
	if got := h.err.String(); !strings.HasPrefix(got, "invalid hostname: nowhere: ") || !strings.HasSuffix(got, "because of lookup host\n") {
		t.Errorf("standard error %q", got)
	}
}
