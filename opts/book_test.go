package opts

import (
	"strings"
	"testing"
)

// bookLines are command lines of the book, and of experiments made in its
// manner, with the prompt of the host that each is typed on.
const bookLines = `
bsdi % sock -K svr4 echo
bsdi % sock -L0 svr4 8888
bsdi % sock -i -s -P10 5555
bsdi % sock -i -s -P4 -p2 -r256 7777
bsdi % sock -i -s 7777
bsdi % sock -i svr4 5555
bsdi % sock -s -u -v -E -R256 -r256 -P30 6666
bsdi % sock -s -v -q1 -O30 5555
bsdi % sock -u -b4444 sun 5555
bsdi % sock -u -i -n1 -w1471 svr4 discard
bsdi % sock -u -i -n1 -w1472 svr4 discard
bsdi % sock -u -i -n1 -w1473 svr4 discard
bsdi % sock -u -i -n1 -w1474 svr4 discard
bsdi % sock -u -i -n1 -w8192 svr4 discard
bsdi % sock -u -i -w1024 -n100 solaris discard
bsdi % sock -v -b1098 sun 6666
bsdi % sock -v -b8888 vangogh.cs.berkeley.edu 7777
bsdi % sock -v -u -i -n4 -w0 svr4 discard
bsdi % sock -v -u -i -n4 svr4 discard
bsdi % sock sun 8888
bsdi % sock svr4 discard
bsdi % sock svr4 20000
slip % sock -D -i -n32 vangogh.cs.berkeley.edu discard
slip % sock -K vangogh.cs.berkeley.edu echo
slip % sock aix echo
solaris % sock -i -n1 -w512 slip discard
solaris % sock -u -i -n10 -w650 -p5 slip discard
solaris % sock bsdi discard
sun % sock -A -b6666 bsdi 1098
sun % sock -A -s 6666
sun % sock -b1162 bsdi echo
sun % sock -b6666 bsdi 1098
sun % sock -h sun 7777
sun % sock -i -n6 bsdi 7777
sun % sock -i -s 5555
sun % sock -i bsdi discard
sun % sock -s -A 140.252.1.29 8888
sun % sock -s -A 8888
sun % sock -s -F 23
sun % sock -s -q0 -O60 5555
sun % sock -s -q5 -O60 5555
sun % sock -s -u 8888
sun % sock -s 140.252.1.29 8888
sun % sock -s 5555
sun % sock -s 6666
sun % sock -s 7777
sun % sock -u -A -s 140.252.13.33 8888
sun % sock -u -A -s 127.0.0.1 8888
sun % sock -u -A -s 140.252.13.63 8888
sun % sock -u -A -s 8888
sun % sock -u -B 140.252.13.63 discard
sun % sock -u -s -f 140.252.13.35.4444 5555
sun % sock -u -s 140.252.1.29 7777
sun % sock -u -s 140.252.1.29 8888
sun % sock -u -s 7777
sun % sock -u -s 9999
sun % sock -u -v 140.252.13.63 6666
sun % sock -u gemini echo
sun % sock -v -b1163 bsdi daytime
sun % sock -v -i -n6 -S8192 -U4 bsdi 5555
sun % sock -v -s 6666
sun % sock -v bsdi daytime
sun % sock -v bsdi echo
sun % sock 255.255.255.255 7777
sun % sock bsdi echo
sun % sock localhost 5555
sun % sock slip discard
sun % sock -b7777 localhost 7777
sun % sock -c bsdi echo
sun % sock -C bsdi echo
sun % sock -i -s 127.0.0.1 5001 -r 65536
svr4 % sock -i -n8 bsdi 7777
svr4 % sock -v -i -n8 localhost 7777
svr4 % sock -i -s -P100000 5555
svr4 % sock -s 8888
svr4 % sock -u -v bsdi 6666
svr4 % sock -v svr4 discard
vangogh % sock -v -R128000 bsdi.tuc.noao.edu echo
vangogh % sock -v -b7777 bsdi.tuc.noao.edu 8888
`

func TestBookLines(t *testing.T) {
	for _, line := range strings.Split(strings.TrimSpace(bookLines), "\n") {
		_, typed, _ := strings.Cut(line, " % ")
		words := strings.Fields(typed)
		o, err := Parse(words[1:])
		if err != nil {
			t.Errorf("%s: %v", line, err)
			continue
		}
		if last := words[len(words)-1]; o.Service != last && o.ReadSize != 65536 {
			t.Errorf("%s: the port is %q, want %q", line, o.Service, last)
		}
	}
}
